//go:build !relaybench_profile

package folder

// Profile does nothing: what is measured links no profiler.
func Profile(string) (stop func()) { return func() {} }
