package broker

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/backend"
	"github.com/mcpauth/mcpauth/broker/identity"
	"github.com/mcpauth/mcpauth/keychain"
)

// DoctorOptions say what to examine.
type DoctorOptions struct {
	Overrides  Overrides
	Environ    []string // as os.Environ gives it: for the server, and to compare
	Executable string   // path of this program; empty when it is not known
	Version    string   // of this program
}

// Finding is one thing that the doctor found, good or bad. It holds no secret and
// does not name the person.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Area     string   `json:"area"`
	What     string   `json:"what"`
	Cause    string   `json:"cause,omitempty"`
	Cure     []string `json:"cure"` // commands, or words; never nil
}

// Diagnosis is what the doctor found, always in the same order.
type Diagnosis struct {
	Profile  string // that was examined; empty when none could be put together
	Findings []Finding
	resolved Resolved
}

// Count returns how many findings have a severity.
func (d Diagnosis) Count(s Severity) int {
	n := 0
	for _, f := range d.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Doctor examines the set-up of one profile, and of this machine. It needs neither
// a configuration nor a network. Slow checks run at the same time, each with a
// deadline of its own; all of it takes at most about 25 s. It writes nothing that
// stays, but starts the profile's server, and so may pin its tools and renew a
// token as a proxy would. The error is that of ctx.
func (b *Broker) Doctor(ctx context.Context, o DoctorOptions) (Diagnosis, error) {
	e := &examination{b: b, o: o, goos: runtime.GOOS}
	e.config, e.configErr = b.Config()
	e.resolved, e.resolveErr = b.Resolve(o.Overrides)
	// First, for a proxy that the check of the server starts takes the rights from
	// others that this one is to tell of.
	e.files = check{"the files", quickCheck, e.checkFiles}.within(ctx)
	checks := e.checks()
	results := make([][]Finding, len(checks))
	var running sync.WaitGroup
	for i, c := range checks {
		running.Go(func() { results[i] = c.within(ctx) })
	}
	running.Wait()
	d := Diagnosis{}
	if e.resolveErr == nil {
		d.Profile, d.resolved = e.resolved.Name, e.resolved
	}
	for _, findings := range results {
		d.Findings = append(d.Findings, findings...)
	}
	return d, ctx.Err()
}

// examination is one run of the doctor.
type examination struct {
	b          *Broker
	o          DoctorOptions
	goos       string
	config     Config
	configErr  error
	resolved   Resolved
	resolveErr error
	files      []Finding // of the first check
}

// check is one examination that runs beside the others.
type check struct {
	name     string
	patience time.Duration
	run      func(context.Context) []Finding
}

// How long a check may take.
const (
	quickCheck  = 5 * time.Second
	slowCheck   = 15 * time.Second
	serverCheck = 20 * time.Second // npx and uvx may fetch the server first
	// checkGrace is for a check that ends by itself when its time is over, and has
	// a server to stop.
	checkGrace = 2 * time.Second
)

func (e *examination) checks() []check {
	list := []check{
		{"the configuration", quickCheck, e.checkConfig},
		{"the store", slowCheck, e.checkStore},
	}
	if e.resolveErr == nil {
		list = append(list,
			check{"the provider", slowCheck, e.checkProvider},
			check{"the redirect URIs", quickCheck, e.checkRedirects},
			check{"the client secret", slowCheck, e.checkSecret},
			check{"the sign-in", slowCheck, e.checkSignIn},
			check{"the command", quickCheck, e.checkCommand},
			check{"the server", serverCheck, e.checkServer},
		)
	}
	return append(list,
		check{"the AI clients", quickCheck, e.checkClients},
		check{"the files", quickCheck, func(context.Context) []Finding { return e.files }},
		check{"the record", slowCheck, e.checkRecord},
		check{"the disk", quickCheck, e.checkDisk},
		check{"the program", quickCheck, e.checkProgram},
	)
}

// within runs a check and does not wait for one that hangs.
func (c check) within(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, c.patience)
	defer cancel()
	done := make(chan []Finding, 1)
	go func() { done <- c.run(ctx) }()
	select {
	case findings := <-done:
		return findings
	case <-ctx.Done():
	}
	select {
	case findings := <-done:
		return findings
	case <-time.After(checkGrace):
		return one("MA911", "the check of "+c.name[len("the "):]+" did not finish within "+c.patience.String())
	}
}

// one is the only finding of a check, with the cure of the table.
func one(code, what string) []Finding { return []Finding{found(code, what, "")} }

// found makes a finding. The cause may be empty; without cures the table's count.
func found(code, what, cause string, cure ...string) Finding {
	kind := kindOf(code)
	if len(cure) == 0 {
		cure = append([]string{}, kind.Cure...)
	}
	return Finding{
		Code: code, Severity: kind.Severity, Area: Area(code), What: CleanLine(what), Cause: CleanLine(cause), Cure: cure,
	}
}

// foundError makes a finding of an error, with the words and cures that any other
// command would have for it.
func foundError(code string, err error) Finding {
	problem, title := AsProblem(err), kindOf(code).Title
	return found(code, title, strings.TrimPrefix(problem.Msg, title+": "), problem.Hints...)
}

// FindingOf is the code under which the doctor, and docs/errors.md, tell of what an
// error of any command is about. It is empty for what has none.
func FindingOf(err error) string {
	var start *backend.StartError
	switch {
	case err == nil:
		return ""
	case errors.As(err, new(*keychain.Error)):
		return storeCode(err)
	case errors.As(err, new(*identity.LockedError)):
		return "MA414"
	case errors.As(err, new(*identity.EndedError)), errors.As(err, new(*identity.RecordError)):
		return "MA412"
	case errors.Is(err, identity.ErrSignedOut):
		return "MA411"
	case errors.As(err, new(*identity.PortsBusyError)):
		return "MA331"
	case errors.As(err, new(*identity.IssuerMismatchError)), errors.As(err, new(*identity.MetadataError)),
		errors.As(err, new(*identity.UnreachableError)):
		return providerCode(err)
	case errors.As(err, &start) && start.Kind == backend.BadDir:
		return "MA514"
	case start != nil:
		return "MA511"
	}
	return ""
}
