package problem

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"testing"
)

type refused struct{}

func (refused) Error() string   { return "refused" }
func (refused) ExitCode() int   { return ExitDenied }
func (refused) Hints() []string { return []string{"ask"} }

func TestOf(t *testing.T) {
	own := &Problem{Msg: "own", Code: ExitUsage}
	for name, test := range map[string]struct {
		err  error
		want Problem
	}{
		"a problem stays":          {fmt.Errorf("around: %w", own), *own},
		"a hinted error is asked":  {fmt.Errorf("call: %w", refused{}), Problem{Msg: "call: refused", Code: ExitDenied, Hints: []string{"ask"}}},
		"any other is plain":       {errors.New("odd"), Problem{Msg: "odd", Code: ExitError}},
		"the problem counts first": {errors.Join(refused{}, own), *own},
	} {
		got := Of(test.err)
		if got.Msg != test.want.Msg || got.Code != test.want.Code || !slices.Equal(got.Hints, test.want.Hints) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

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
