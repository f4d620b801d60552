package policy

import (
	"strings"
	"testing"
)

// What a server may read as a resource that a rule denies is denied, whatever it
// looks like.
func TestDisguisedURIsAreDenied(t *testing.T) {
	view := compile(t, rules(allow(Rule{}), deny(Rule{Resources: []string{"file:///srv/secret*", "orders://private/*", "s3://b/key", "/notes/secret:1"}}))).For(ada(), "")
	for _, uri := range []string{
		"file:///srv/secret", "FILE:///srv/secret", "file:///srv/SECRET", "file:///srv/%73ecret", "file:///srv/%2573ecret", "file:///srv%2Fsecret",
		"file:///srv/./secret", "file:///srv//secret", "file:////srv/secret", "file:/srv/secret", "file:srv/secret", "file://localhost/srv/secret",
		"file:///srv/pub/../secret", "file:///srv/pub/%2e%2e/secret", "file:///srv/pub/..%2fsecret", "file:///srv/pub/%252e%252e/secret",
		`file:///srv\secret`, "file:///srv%5csecret", "file:///../srv/secret", "file:///srv/s\u200becret", "file:///srv/ｓecret", "file:///srv/secret%00.txt",
		"file:///srv/secret?x", "file:///srv/secret#x", "file:///srv/secret/", "file:///srv /secret", "file:///srv/se\tcret", "file:///srv/secret%00/../../pub",
		"orders://private/7", "orders://Private/7", "orders://public/../private/7", "orders://x/../../private/7", "orders:private/7", "orders://private%2f7",
		"s3://b/key?versionId=1", "s3://b/key.", "s3://b/a/../../../key", "s3://b/key/", "s3://b/k%65y#",
		"/notes/secret:1", "/x/../notes/secret:1", "/notes/./secret:1", `\notes\secret:1`, "/notes/secret:1/",
	} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
			t.Errorf("%q: %+v", uri, got)
		}
	}
	for _, uri := range []string{"file:///srv/public", "file:///srv/a%20b", "orders://public/7", "s3://b/key2", "s3://b/keys/?x", "urn:isbn:1", "x"} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Allow {
			t.Errorf("%q: %+v", uri, got)
		}
	}
}

// A rule that allows a place allows no way out of it.
func TestNoWayOutOfWhatIsAllowed(t *testing.T) {
	view := compile(t, rules(allow(Rule{Resources: []string{
		"file:///pub/*", "file:///*.txt", "orders://pub/*", "file:///my%20docs/*", "https://x/search?q=*", "urn:isbn:*", "n*//open/*", "plain",
	}}))).For(ada(), "")
	for _, uri := range []string{
		"file:///pub/../etc/passwd", "file:///pub/%2e%2e/etc/passwd", "file:///pub/..%2fetc/passwd", "file:///pub/%252e%252e%252fetc/passwd",
		`file:///pub/..\etc/passwd`, "file:///pub/a/../../etc/passwd", "file:///pub?/../etc/passwd", "file:///pub/?/../../etc/passwd", "file:///pub/x/.. /../etc/passwd",
		"file:///secret.key?.txt", "file:///secret.key#.txt", "file:///secret.key%00.txt", "file:///secret.key%2500.txt", "file:///secret.key\x00.txt",
		"orders://pub/../private/7", "orders://pub/%2e%2e/private/7", "file:///my%20docs/../x", "FILE:///pub/x", "file:///PUB/x",
		"https://x/search?q=../../../admin", "https://x/search", "nx//open/../closed", "file:///pub/\u200b../etc", "file:///pub/．．/etc/x",
	} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
			t.Errorf("%q: %+v", uri, got)
		}
	}
	for _, uri := range []string{
		"file:///pub/a", "file:///pub/a/../b", "file:///pub/a%2Fb", "file:///pub/a?x=1", "file:///pub/A b", "file:///pub/ü", "file:///a.txt", "file:///A.txt",
		"file:///pub/", "file:///pub/?x", "file:///my%20docs/a", "orders://pub/7#top", "https://x/search?q=a", "https://x/search?q=A%20b", "urn:isbn:123", "nx//open/a", "plain",
		"file:///pub/.hidden", "file:///pub/a..b",
	} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Allow {
			t.Errorf("%q: %+v", uri, got)
		}
	}
	e := view.Explain(Item{Resource, "file:///pub/../etc/passwd"}, noon)
	if !strings.Contains(e.Why(), "may read this address as another one") {
		t.Errorf("%q", e.Why())
	}
}

// What must be there for a resource, or a tool, must be there for what only looks
// like it.
func TestRequirementsHoldForLookAlikes(t *testing.T) {
	view := compile(t, rules(allow(Rule{}), require(Rule{Resources: []string{"file:///srv/secret*"}, Tools: []string{"delete"}, ACR: []string{"phr"}}))).For(ada(), "")
	for _, item := range []Item{
		{Resource, "file:///srv/secret"}, {Resource, "file:///srv/%73ecret"}, {Resource, "file:///x/../srv/secret"}, {Tool, "delete"}, {Tool, "Delete"}, {Tool, "ｄelete"},
	} {
		if got := view.Decide(item, noon); got.Effect != StepUp {
			t.Errorf("%v: %+v", item, got)
		}
	}
}

// A plain URI has one reading: itself, folded.
func FuzzURIReadings(f *testing.F) {
	for _, seed := range []string{"file:///a/../b", "x://a%2fb?c", "file:/a", "a", "https://Host/p", "x://a/.b", "%2500", "x:///..", `\\a\b`, "/../secret:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		readings := uriReadings(uri)
		if isPlainURI(uri) {
			if clean := cleanURI(unescaped(uri), 0); strings.TrimSuffix(clean, "/") != strings.TrimSuffix(uriPattern(uri), "/") {
				t.Errorf("%q is plain and reads %q", uri, clean)
			}
			return
		}
		if len(readings) == 0 {
			t.Errorf("%q has no reading", uri)
		}
		for _, r := range readings {
			if path, _, _ := strings.Cut(r, "?"); strings.Contains(path, "/../") || strings.Contains(r, "\x00") {
				t.Errorf("%q reads %q", uri, r)
			}
		}
		// Who may read exactly this, by its name, may read it: unless another reading of it is another thing.
		// And unless it has a star, escaped or not: the form of a pattern that readings are matched with takes it for its own.
		if p := uriPatterns(uri); !strings.Contains(unescaped(uri), "*") && !Match(p, readings[0]) {
			t.Errorf("%q reads %q, which is not its own pattern %q", uri, readings[0], p)
		}
	})
}
