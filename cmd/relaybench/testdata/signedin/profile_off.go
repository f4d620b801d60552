//go:build !relaybench_profile

package main

// profile does nothing: what is measured links no profiler.
func profile(string) (stop func()) { return func() {} }
