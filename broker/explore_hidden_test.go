package broker

import "testing"

// A list that was given up is answered late, perhaps while the next one is read.
func TestHiddenOnce(t *testing.T) {
	x := &exploration{}
	for range 2 {
		x.noteHidden("tools/list", []byte(`{"name":"get-env"}`))
		x.noteHidden("tools/list", []byte(`{"name":"refund"}`))
	}
	if hidden := x.TakeHidden("tools/list"); len(hidden) != 2 {
		t.Errorf("%d are hidden: %s", len(hidden), hidden)
	}
	if hidden := x.TakeHidden("tools/list"); len(hidden) != 0 {
		t.Errorf("they are taken twice: %s", hidden)
	}
}
