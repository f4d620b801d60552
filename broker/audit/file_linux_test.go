package audit

import (
	"errors"
	"os"
	"syscall"
	"testing"
)

func TestFullDiskIsAnErrorAndThenForgotten(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	l.testOnlyWrite = full.Write
	var e *Error
	if err := l.Append(Record{}); !errors.Is(err, syscall.ENOSPC) || !errors.As(err, &e) || e.Op != "append" {
		t.Errorf("Append = %v", err)
	}
	l.testOnlyWrite = nil
	if err := l.Append(Record{}); err != nil {
		t.Error(err)
	}
	if n := len(readAll(t, dir)); n != 1 {
		t.Errorf("%d records", n)
	}
}
