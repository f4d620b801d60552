//go:build !linux

package relay

func newSpoolPlace() spoolPlace { return &heapPlace{} }
