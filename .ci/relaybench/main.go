// Command relaybench measures what `mcpauth proxy` costs.
//
//	go run ./.ci/relaybench            the table of docs/performance.md
//	go run ./.ci/relaybench -quick     a few rounds, judged by correctness alone
//
// Four targets stand before the same very fast server: nothing ("direct"), a
// process that copies bytes ("pipe"), mcpauth-proxy, which AI clients start, and
// mcpauth, which has all commands; both signed in, with policy, audit and user
// context on. They are measured in one run, interleaved and in
// rotated order, and compared within each round, because on a shared machine
// only that tells anything. Every answer is compared with what it must be,
// every call must stand in the audit log, and each must have carried the user.
//
// The exit status is 1 if a message was lost, reordered or altered, and, unless
// -quick is given, if a goal is not met on one CPU.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are the choices of one run.
type options struct {
	cpus     string        // a CPU to pin to, "all", or both tables if empty
	rounds   int           // that count
	calls    int           // sequential ones in a round, per target
	foreign  float64       // cores that others may use in a round that counts
	patience time.Duration // to wait for a quiet machine before a round
	quick    bool
	json     bool
	step     string // the only one to measure, or empty
	profile  string // folder for profiles of mcpauth
	with     checkouts
}

// checkouts are further versions of mcpauth to measure, by name.
type checkouts []checkout

type checkout struct{ name, dir string }

func (c *checkouts) String() string { return fmt.Sprint(*c) }

// Set takes NAME=FOLDER.
func (c *checkouts) Set(text string) error {
	name, dir, ok := strings.Cut(text, "=")
	if !ok || name == "" || dir == "" {
		return fmt.Errorf("%q is not NAME=FOLDER", text)
	}
	*c = append(*c, checkout{name, dir})
	return nil
}

func main() {
	var o options
	flag.StringVar(&o.cpus, "cpus", "", "run everything on this `CPU`, or on \"all\" (default: one table each)")
	flag.IntVar(&o.rounds, "rounds", 7, "rounds that count, per table")
	flag.IntVar(&o.calls, "calls", 2000, "sequential calls in a round, per target")
	flag.Float64Var(&o.foreign, "foreign", 0.3, "discard a round in which other processes used more `cores`")
	flag.DurationVar(&o.patience, "patience", 30*time.Second, "wait so long for a quiet machine before a round")
	flag.BoolVar(&o.quick, "quick", false, "two short rounds, no waiting, no judgement on time")
	flag.BoolVar(&o.json, "json", false, "print one JSON object")
	flag.StringVar(&o.profile, "profile", "", "write profiles of mcpauth to this `folder` (makes it slower)")
	flag.StringVar(&o.step, "step", "", "measure only this `step`: start, call, pipelined, down, up, list or echo")
	flag.Var(&o.with, "with", "measure the mcpauth of another checkout, too: `NAME=FOLDER` (repeat)")
	flag.Parse()
	known := o.step == "" || slices.ContainsFunc(steps, func(s step) bool { return s.name == o.step })
	if flag.NArg() > 0 || !known || o.rounds < 1 || o.rounds > 1000 || o.calls < 1 || o.calls > 1_000_000 {
		flag.Usage()
		os.Exit(2)
	}
	if o.quick {
		o.rounds, o.calls, o.patience, o.foreign = 2, 300, 0, 1e9
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := run(ctx, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "relaybench:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run measures and prints. ok says whether all that is judged is as it must be.
func run(ctx context.Context, o options) (ok bool, err error) {
	stage, err := newStage(ctx, o)
	if err != nil {
		return false, err
	}
	defer stage.close()
	ok = true
	var tables []table
	for _, cpus := range places(o.cpus) {
		if err := pin(cpus); err != nil {
			return false, err
		}
		t, err := measure(ctx, o, stage.targets, cpus)
		if err != nil {
			return false, err
		}
		ok = ok && t.correct() && (o.quick || cpus == everywhere || t.goalsMet())
		tables = append(tables, t)
		if !o.json {
			t.print(os.Stdout, o)
		}
	}
	if o.json {
		return ok, printJSON(os.Stdout, o, tables)
	}
	return ok, nil
}

// everywhere is the place of a table without pinning.
const everywhere = "all"

// places are the tables to make: on one CPU, where ratios are steady, and on
// all, which is what a user has.
func places(cpus string) []string {
	switch {
	case cpus != "":
		return []string{cpus}
	case !canPin:
		return []string{everywhere}
	}
	return []string{"0", everywhere}
}
