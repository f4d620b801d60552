// Command mcpauth-metrics serves what the audit files count as OpenMetrics text, on
// this machine only. `mcpauth stats --listen` starts it. It is a program of its own
// because its library would cost every proxy a millisecond of its start.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/mcpauth/mcpauth/broker"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	address := flag.String("listen", "127.0.0.1:9464", "loopback address to serve at")
	folder := flag.String("audit", "", "folder of the audit files (default: the user's)")
	flag.Parse()
	if err := run(ctx, *address, *folder); err != nil {
		fmt.Fprintln(os.Stderr, "mcpauth-metrics:", err)
		os.Exit(broker.ExitError)
	}
}

func run(ctx context.Context, address, folder string) error {
	if folder == "" {
		home, err := broker.Home()
		if err != nil {
			return err
		}
		folder = filepath.Join(broker.DefaultPaths(home, runtime.GOOS).StateDir, "audit")
	}
	listener, err := listen(address)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "mcpauth-metrics: http://%s/metrics\n", listener.Addr())
	return serve(ctx, listener, broker.AuditFolder(folder))
}
