package policy

import "testing"

func TestZeroPolicyDenies(t *testing.T) {
	ada := Request{Sub: "ada", Method: "tools/call", Name: "whoami"}
	for name, p := range map[string]*Policy{"nil": nil, "zero": {}} {
		if got := p.Decide(ada); got.Effect != Deny {
			t.Errorf("%s policy: %v, want a denial", name, got)
		}
	}
}

func TestSignedInPolicy(t *testing.T) {
	p := SignedIn()
	if got := p.Decide(Request{Sub: "ada", Method: "tools/call"}); got.Effect != Allow {
		t.Errorf("signed in: %v, want it allowed", got)
	}
	if got := p.Decide(Request{Method: "tools/call"}); got.Effect != Deny {
		t.Errorf("nobody: %v, want a denial", got)
	}
}
