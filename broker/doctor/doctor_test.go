package doctor

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mcpauth/mcpauth/broker/config"
	"github.com/mcpauth/mcpauth/broker/identity"
)

// What a report must not say, wherever it came from.
func TestReportTellsNothing(t *testing.T) {
	const home = "/home/ada"
	words := strings.Join([]string{
		"Authorization: Bearer CANARYCANARYCANARY",
		"eyJhbGciOiJub25lIn0.eyJDQU5BUlkiOiJDQU5BUlkifQ.CANARYCANARY",
		"password=CANARY", "api_key: CANARY", "client_secret=CANARY", "DB_PASSWORD=CANARY", "DB_PASS=CANARY", "api_key: 'CANARY 1'", `{"refreshToken": "CANARY"}`, "https://ada:CANARY@example.com/",
		"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789CANARYabcdef",
		"ada.lovelace@example.com", home + "/.config/mcpauth/config.toml", "/Users/grace/CANARY-not/x",
	}, " ")
	words = strings.ReplaceAll(words, "CANARY-not", "x") // the folder of another person is no secret
	d := Diagnosis{
		Profile: "orders",
		Findings: []Finding{
			found("MA521", words, words, words),
			found("MA310", "https://login.example.com answers", ""),
		},
		resolved: config.Resolved{
			Profile: config.Profile{
				Issuer: "https://login.example.com", ClientID: "0oa1b2c3d4e5f6g7h8i9",
				Command: []string{home + "/bin/server", "--token", "CANARY"}, Audience: "ada.lovelace@example.com",
			},
			Origin: map[string]config.Origin{"issuer": config.OriginProfile, "client_id": config.OriginFile},
		},
	}
	report := d.Report(Options{Version: "1.2.3", Environ: []string{"MCPAUTH_PROFILE=CANARY", "DISPLAY=:0", "AWS_SECRET=CANARY"}}, home)
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, banned := range []string{"CANARY", "ada", "lovelace", "grace", home, "AWS_SECRET"} {
		if strings.Contains(string(text), banned) {
			t.Errorf("the report tells %s:\n%s", banned, text)
		}
	}
	for _, wanted := range []string{"0oa1b2c3d4e5f6g7h8i9", "https://login.example.com (profile)", "server and 2 arguments", "DISPLAY", "~/.config", "1.2.3"} {
		if !strings.Contains(string(text), wanted) {
			t.Errorf("the report lacks %s:\n%s", wanted, text)
		}
	}
}

// TestReportKeepsSentences: what is redacted is a value, not what we say of a token.
func TestReportKeepsSentences(t *testing.T) {
	for text, want := range map[string]string{
		"there is no refresh token: the sign-in ends with its access token": "there is no refresh token: the sign-in ends with its access token",
		"store its secret: mcpauth profile secret NAME":                     "store its secret: mcpauth profile secret NAME",
		"token: CANARY the":   "[redacted] the",
		"password: theCANARY": "[redacted]",
	} {
		if got := (scrubber{}).text(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

// The clock is wrong as soon as it would fail a sign-in.
func TestClockFinding(t *testing.T) {
	for ahead, want := range map[time.Duration]string{
		0: "MA320", -identity.ClockLeeway: "MA320", identity.ClockLeeway + 400*time.Millisecond: "MA320",
		identity.ClockLeeway + time.Second: "MA321 this machine's clock is 1m1s behind the provider's",
		-7 * time.Minute:                   "MA321 this machine's clock is 7m0s ahead of the provider's",
	} {
		f := clock(identity.Inspection{ClockKnown: true, ClockAhead: ahead})
		if !strings.HasPrefix(f.Code+" "+f.What, want) {
			t.Errorf("%s: %s %s", ahead, f.Code, f.What)
		}
	}
	if f := clock(identity.Inspection{}); f.Code != "MA322" {
		t.Errorf("%+v", f)
	}
}

// A check that hangs costs its own time and is told of; a check that needs a
// moment to clear up gets it.
func TestChecksThatHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		never := make(chan struct{})
		hung := check{"the thing", time.Second, func(context.Context) []Finding { <-never; return nil }}.within(t.Context())
		if len(hung) != 1 || hung[0].Code != "MA911" || time.Since(began) > time.Second+checkGrace {
			t.Errorf("after %s: %v", time.Since(began), hung)
		}
		close(never)
		slow := check{"the thing", time.Second, func(ctx context.Context) []Finding {
			<-ctx.Done()
			time.Sleep(checkGrace / 2)
			return one("MA522", "late")
		}}.within(t.Context())
		if len(slow) != 1 || slow[0].Code != "MA522" {
			t.Errorf("%v", slow)
		}
	})
}
