package tui

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC // the golden files have times of the day
	os.Exit(m.Run())
}
