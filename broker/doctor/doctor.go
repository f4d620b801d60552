// Package doctor examines the set-up of a profile and of this machine, and reports
// what it found.
package doctor

import (
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
)

// Examine looks at the set-up of one profile, and of this machine. It needs neither
// a configuration nor a network. Slow checks run at the same time, each with a
// deadline of its own; all of it takes at most about 25 s. It writes nothing that
// stays, but starts the profile's server, and so may pin its tools and renew a
// token as a proxy would. The error is that of ctx.
func Examine(ctx context.Context, p Parts, o Options) (Diagnosis, error) {
	e := &examination{Parts: p, Options: o, goos: runtime.GOOS}
	e.config, e.configErr = config.Load(p.Paths.ConfigFile)
	e.resolved, e.resolveErr = config.Resolved{}, e.configErr
	if e.configErr == nil {
		e.resolved, e.resolveErr = e.config.Resolve(o.Overrides, p.Env)
	}
	// First, for a proxy that the check of the server starts takes the rights from
	// others that this one is to find.
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

// check is one examination that runs beside the others.
type check struct {
	name     string
	patience time.Duration
	run      func(context.Context) []Finding
}

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
		check{"the audit log", slowCheck, e.checkAudit},
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
