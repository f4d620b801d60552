//go:build relaybench_profile

package folder

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
)

// Profile writes where the time and the memory of this process went to files
// of the folder dir.
func Profile(dir string) (stop func()) {
	if dir == "" {
		return func() {}
	}
	at := filepath.Join(dir, fmt.Sprint(os.Getpid()))
	cpu, err := os.Create(at + ".cpu.prof")
	if err != nil {
		panic(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		panic(err)
	}
	return func() {
		pprof.StopCPUProfile()
		cpu.Close()
		heap, err := os.Create(at + ".heap.prof")
		if err != nil {
			panic(err)
		}
		runtime.GC()
		pprof.Lookup("allocs").WriteTo(heap, 0)
		heap.Close()
	}
}
