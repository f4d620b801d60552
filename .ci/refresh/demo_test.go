package refresh

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mcpauth/mcpauth/broker/demoidp"
)

// faulty is demoidp with what goes wrong on a refresh.
type faulty struct {
	*demoidp.Server
	fault     atomic.Pointer[demoidp.Fault] // of refreshes; nil is none
	signIn    int                           // seconds that the token of a sign-in lives
	refreshed int                           // and that of a refresh
	ahead     atomic.Int64                  // of the provider's clock
	hook      atomic.Pointer[killer]        // may end a refreshing process

	mu sync.Mutex
	at []time.Time // of each refresh
}

// startFaulty starts the provider, and a machine of somebody who is signed in
// there.
func startFaulty(t *testing.T, o demoidp.Options, signIn, refreshed int) (*faulty, *machine) {
	t.Helper()
	f := &faulty{signIn: signIn, refreshed: refreshed}
	m := f.start(t, o)
	m.login()
	return f, m
}

// startShifted is startFaulty for a machine whose clock is wrong, and without
// the sign-in.
func startShifted(t *testing.T, off time.Duration) (*faulty, *machine) {
	t.Helper()
	f := &faulty{signIn: 3600, refreshed: 3600}
	m := f.start(t, demoidp.Options{})
	m.shift(off)
	return f, m
}

func (f *faulty) start(t *testing.T, o demoidp.Options) *machine {
	t.Helper()
	o.AutoApprove = true
	o.Now = func() time.Time { return time.Now().Add(time.Duration(f.ahead.Load())) }
	server, err := demoidp.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	f.Server = server
	server.SetFault(f.faultOf)
	return newMachine(t, server.Issuer(), demoidp.DefaultClientID)
}

func (f *faulty) faultOf(endpoint string) demoidp.Fault {
	lives := func(seconds int) func(map[string]any) {
		return func(answer map[string]any) { answer["expires_in"] = seconds }
	}
	switch endpoint {
	case "authorization_code":
		return demoidp.Fault{Edit: lives(f.signIn)}
	case "id_token": // as short as Keycloak's, or a clock that is ahead would not matter
		return demoidp.Fault{Edit: func(claims map[string]any) {
			claims["exp"] = time.Now().Add(time.Duration(f.ahead.Load())).Add(5 * time.Minute).Unix()
		}}
	case "refresh_token":
		f.mu.Lock()
		f.at = append(f.at, time.Now())
		f.mu.Unlock()
		if k := f.hook.Load(); k != nil {
			if fault, shot := k.hook(); shot {
				return fault
			}
		}
		if fault := f.fault.Load(); fault != nil {
			return *fault
		}
		return demoidp.Fault{Edit: lives(f.refreshed)}
	}
	return demoidp.Fault{}
}

func (f *faulty) set(fault demoidp.Fault) { f.fault.Store(&fault) }
func (f *faulty) mend()                   { f.fault.Store(nil) }
func (f *faulty) refreshes() int          { return f.Count("refresh_token") }

// hanging is a provider that takes requests and never answers.
func hanging() demoidp.Fault { return demoidp.Fault{Wait: make(chan struct{})} }

func answers(status int, kind, body string, header ...string) demoidp.Fault {
	h := http.Header{"Content-Type": {kind}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return demoidp.Fault{Status: status, Header: h, Body: body}
}
