package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// serverStats is what the server counted.
type serverStats struct {
	Calls      int `json:"calls"`
	Users      int `json:"users"` // calls that carried the user
	Notes      int `json:"notes"`
	Disordered int `json:"disordered"`
}

// stats asks the server, with a call that it counts, too.
func (s *session) stats() (stats serverStats, err error) {
	s.calls++
	line, err := s.ask(appendCall(nil, s.id(), "stats", "{}"))
	if err != nil {
		return stats, err
	}
	var answer struct {
		Result struct {
			StructuredContent *serverStats `json:"structuredContent"`
		} `json:"result"`
	}
	answer.Result.StructuredContent = &stats
	if err := json.Unmarshal(line, &answer); err != nil {
		return stats, fmt.Errorf("stats: %w: %.200s", err, line)
	}
	return stats, nil
}

// hardLines are calls that careless relays change, without the head of the line.
var hardLines = []string{
	// ids: above 2^53 and 2^64, negative, strings that look like numbers or hold escapes
	`"id":9007199254740993,"method":"tools/call","params":{"name":"line","arguments":{}}}`,
	`"id":123456789012345678901234567890,"method":"tools/call","params":{"name":"line","arguments":{}}}`,
	`"id":-1,"method":"tools/call","params":{"name":"line","arguments":{}}}`,
	`"id":"1","method":"tools/call","params":{"name":"line","arguments":{}}}`,
	`"id":"\u0061\/b","method":"tools/call","params":{"name":"line","arguments":{}}}`,
	// numbers as spelled
	`"id":1,"method":"tools/call","params":{"name":"line","arguments":{"n":[1.0,1e2,1E+2,-0,-0.0,0.10,12345678901234567890,5e-324]}}}`,
	`"id":2,"method":"tools/call","params":{"name":"mine","arguments":{"x":1.0}}}`,
	// texts as spelled, the order of members, members nobody knows, a _meta of the client
	`"id":3,"method":"tools/call","params":{"name":"line","arguments":{"s":"\u00e9\u2028 \/ \ud83d\ude00 é 😀","b":1,"a":2}}}`,
	`"id":4,"method":"tools/call","params":{"name":"line","arguments":{},"x-unknown":[{"y":null}]},"extra":{"z":[]}}`,
	`"id":5,"method":"tools/call","params":{"name":"line","arguments":{},"_meta":{"progressToken":9007199254740993,"com.example/a":1.0}}}`,
	// white space
	`"id":6,"method":"tools/call","params":{"name":"line","arguments":{ "a" : [ 1 , 2 ] }}} `,
}

// truth sends each hard line and compares what the server received, and what
// came back, byte by byte.
func (s *session) truth() error {
	for _, hard := range hardLines {
		s.still()
		line := []byte(`{"jsonrpc":"2.0",` + hard)
		id, _, _ := bytes.Cut([]byte(hard), []byte(`,"method"`))
		s.calls++
		answer, err := s.ask(append(line, '\n'))
		if err != nil {
			s.faults.Lost++
			return s.failed(err)
		}
		want := fmt.Appendf(nil, `{"jsonrpc":"2.0",%s,"result":{"content":[],"structuredContent":%s}}`, id, s.received(line))
		s.expect(answer, want)
	}
	if err := s.question(); err != nil {
		s.faults.Lost++
		return s.failed(err)
	}
	return nil
}

// question has the server ask the client something, under an id that no double
// can hold, and compares both ways.
func (s *session) question() error {
	s.calls++
	asked, err := s.ask([]byte(`{"jsonrpc":"2.0","id":"asks","method":"tools/call","params":{"name":"ask","arguments":{}}}` + "\n"))
	if err != nil {
		return err
	}
	s.expect(asked, []byte(`{"jsonrpc":"2.0","id":9007199254740993,"method":"sampling/createMessage","params":{"maxTokens":1.0,"x":"\u00e9\/"}}`))
	const reply = `{"jsonrpc":"2.0","id":9007199254740993,"result":{"role":"assistant","n":1.0}}`
	answer, err := s.ask([]byte(reply + "\n"))
	if err != nil {
		return err
	}
	s.expect(answer, []byte(`{"jsonrpc":"2.0","id":"asks","result":`+reply+`}`))
	return nil
}

// didItsJob tells whether a proxy put the user into each call. It comes last:
// what it sends counts, too.
func (s *session) didItsJob() (shortfall string, err error) {
	stats, err := s.stats()
	if err != nil {
		return "", s.failed(err)
	}
	switch {
	case stats.Calls != s.calls:
		return fmt.Sprintf("%s: of %d calls the server received %d", s.name, s.calls, stats.Calls), nil
	case s.proxy && stats.Users != s.calls:
		return fmt.Sprintf("%s: of %d calls %d carried the user", s.name, s.calls, stats.Users), nil
	}
	return "", nil
}
