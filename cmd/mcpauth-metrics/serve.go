package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/mcpauth/mcpauth/broker"
)

// listen opens a port of this machine; the address must say so itself, since a name
// such as localhost may lead elsewhere.
func listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("%s is no loopback address: try 127.0.0.1:9464", address)
	}
	return net.Listen("tcp", address)
}

// serve answers until ctx ends.
func serve(ctx context.Context, listener net.Listener, folder broker.AuditFolder) error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&counter{watch: folder.WatchAll()})
	metrics := promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true, MaxRequestsInFlight: 4})
	server := &http.Server{
		Handler:           guard(listener.Addr().String(), metrics),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second,
		MaxHeaderBytes: 16 << 10,
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// guard lets through GET /metrics alone, and only by the address that is served: a
// web page that a name of its own leads here (DNS rebinding) comes with that name.
func guard(host string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Host != host:
			http.Error(w, "this is not the address of this server", http.StatusMisdirectedRequest)
		case r.URL.Path != "/metrics":
			http.NotFound(w, r)
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", http.MethodGet)
			http.Error(w, "only GET", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// counter counts the audit files: all that is there at first, then what is added.
type counter struct {
	watch *broker.AuditWatch

	mu    sync.Mutex
	stats broker.AuditStats
}

var (
	labels   = []string{"method", "name"}
	describe = func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("mcpauth_"+name, help, labels, nil)
	}
	calls     = describe("calls_total", "Calls of AI clients, the denied ones included.")
	denied    = describe("calls_denied_total", "Calls that were not allowed.")
	failed    = describe("calls_failed_total", "Calls that were answered with an error.")
	lost      = describe("calls_unanswered_total", "Calls that got no answer.")
	durations = describe("call_duration_seconds", "From the record of a call to its answer.")
	broken    = prometheus.NewDesc("mcpauth_audit_broken_lines_total", "Lines of the audit files that are no records.", nil, nil)
)

// bounds of the buckets, for calls of tools that think and of tools that do not.
var bounds = []time.Duration{
	time.Millisecond, 5 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	time.Second, 5 * time.Second, 30 * time.Second, 5 * time.Minute,
}

// Describe implements prometheus.Collector.
func (c *counter) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{calls, denied, failed, lost, durations, broken} {
		to <- d
	}
}

// Collect implements prometheus.Collector. It first reads what was added.
func (c *counter) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.watch.Each(func(line broker.AuditLine) {
		if line.Err != nil {
			c.stats.Broken++
			return
		}
		c.stats.Add(&line.Record, &broker.AuditFilter{})
	})
	if err != nil {
		to <- prometheus.NewInvalidMetric(broken, err)
	}
	to <- prometheus.MustNewConstMetric(broken, prometheus.CounterValue, float64(c.stats.Broken))
	for _, t := range named(c.stats.Tools()) {
		count := func(d *prometheus.Desc, n int) {
			to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), t.Method, t.Name)
		}
		count(calls, t.Calls)
		count(denied, t.Denied)
		count(failed, t.Errors)
		count(lost, t.Unanswered)
		buckets := map[float64]uint64{}
		for _, bound := range bounds {
			buckets[bound.Seconds()] = t.Times.AtMost(bound)
		}
		to <- prometheus.MustNewConstHistogram(durations, t.Times.Count, t.Times.Sum.Seconds(), buckets, t.Method, t.Name)
	}
}

// maxNames bounds the names that become labels: a client can call what it likes.
const maxNames = 500

// named gives resources, and what is called least of too many, one name for all: a
// label must not grow with what a client makes up.
func named(tools []broker.AuditToolStats) []broker.AuditToolStats {
	type key struct{ method, name string }
	at := map[key]int{}
	var list []broker.AuditToolStats
	for i, t := range tools {
		if t.Method == "resources/read" || i >= maxNames {
			t.Name = ""
		}
		if first, known := at[key{t.Method, t.Name}]; known {
			list[first].Merge(&t)
			continue
		}
		at[key{t.Method, t.Name}] = len(list)
		list = append(list, t)
	}
	return list
}
