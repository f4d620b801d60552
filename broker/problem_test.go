package broker

import (
	"errors"
	"io/fs"
	"testing"
)

func TestProblem(t *testing.T) {
	err := error(&Problem{Msg: "cannot read x: no rights", Code: ExitError, Err: fs.ErrPermission})
	if err.Error() != "cannot read x: no rights" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

// TestExitCodes: scripts rely on the numbers.
func TestExitCodes(t *testing.T) {
	got := []int{ExitOK, ExitError, ExitUsage, ExitUnreachable, ExitSignInNeeded, ExitDenied, ExitToolFailed, ExitKeychain, ExitDoctor, ExitInterrupted}
	want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 130}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("code %d became %d", want[i], got[i])
		}
	}
}
