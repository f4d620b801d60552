package policy

import (
	"math/rand/v2"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
)

const authorityRules = `file:///etc/* orders://private/* https://internal.example.com/* http://169.254.169.254/*`

func denyingView(t *testing.T) *View {
	return compile(t, rules(allow(Rule{}), deny(Rule{Resources: strings.Fields(authorityRules)}))).For(ada(), "")
}

// spellings combines parts to addresses: one of each list, in turn.
func spellings(parts ...[]string) []string {
	all := []string{""}
	for _, part := range parts {
		var longer []string
		for _, head := range all {
			for _, tail := range part {
				longer = append(longer, head+tail)
			}
		}
		all = longer
	}
	return all
}

var (
	fileSchemes = []string{"file:", "FILE:", "File:", "%66ile:", "ﬁle:", " file:", "fi\tle:", "url:file:", "<URL:file:"}
	etcPaths    = []string{
		"/etc/passwd", "/ETC/passwd", "/%65tc/passwd", "/etc%2fpasswd", `\etc\passwd`, "/etc//passwd", "/./etc/passwd", "/x/../etc/passwd", "/etc/passwd?x", "/etc/passwd#x",
		"/etc/passwd%00.txt", "/etc/x/../passwd", "/etc/passwd/", "／etc／passwd", "/%2565tc/passwd",
	}
	orderHosts = []string{
		"private", "PRIVATE", "%70rivate", "ｐrivate", "private.", "pri\u00advate", "user@private", "user:pass@private", "a@b@private", "private:7", "private:", "user@private:7",
		"x%40private", "x＠private", "private：7", "a/../private", "pri\tvate",
	}
	webHosts = []string{
		"internal.example.com", "INTERNAL.example.com", "internal.example.com.", "internal。example。com", "internal．example．com", "internal｡example.com", "internal%2Eexample.com",
		"ｉnternal.example.com", "internal.example.com:443", "internal.example.com:8443", "internal.example.com:", "user@internal.example.com", "user:pw@internal.example.com:1",
		"other.example.com@internal.example.com", "a@b@internal.example.com", "u%40@internal.example.com", "other.example.com\\@internal.example.com",
		"other.example.com?@internal.example.com", "other.example.com#@internal.example.com", "other.example.com%2f@internal.example.com", "internal.example.com%00.other.example.com",
	}
	metadataHosts = []string{
		"169.254.169.254", "2852039166", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "0251.0376.0251.0376", "025177524776", "169.254.43518", "169.16689662", "[::ffff:169.254.169.254]",
		"[::ffff:a9fe:a9fe]", "169.254.169.254.", "１６９.254.169.254", "169。254。169。254", "u@169.254.169.254:80", "u@2852039166:80",
	}
)

// Whoever is denied an address is denied all spellings of it that some server's
// parser takes for it.
func TestAttackSpellingsOfADeniedAddress(t *testing.T) {
	view := denyingView(t)
	slashes := []string{"", "/", "//", "///"}
	all := slices.Concat(
		spellings(fileSchemes, []string{"", "//", "///", "//localhost", "//x", "//X.example.com", "//u:p@x:80", "//127.0.0.1", "//[::1]", "//x%2fy", "//.", "//..", "////x", "//x\x01y"}, etcPaths),
		spellings([]string{"", "//x", "//localhost", "/", "//u@x:80"}, etcPaths),
		spellings([]string{"orders:", "ORDERS:", "%6frders:", "orders%3A", "url:orders:"}, append(slashes, `\\`, `/\`, "////"), orderHosts, []string{"/1", "//1", "/x/../1", "?x", "#x", "", "/", "%2f1", `\1`}),
		spellings([]string{"", "//"}, orderHosts, []string{"/1", "?x"}),
		spellings([]string{"https:", "HTTPS:", "http\ts:"}, append(slashes, `\\`, `/\`), webHosts, []string{"/admin", "", "?x", "#x", "/", `\admin`, "/../admin", "/%61dmin"}),
		spellings([]string{"", "//"}, webHosts, []string{"/admin"}),
		spellings([]string{"http:"}, append(slashes, `\\`), metadataHosts, []string{"/latest", "", "?x", "/%6catest"}),
	)
	for _, uri := range all {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
			t.Errorf("%q passes", uri)
		}
	}
	t.Logf("%d spellings", len(all))
}

// What is another address stays allowed, and what is none.
func TestAddressesBesideADeniedOne(t *testing.T) {
	view := denyingView(t)
	for _, uri := range []string{
		"file:///pub/etc/passwd", "file:/pub/etc/passwd", "file:///etcetera", "/pub/etc/passwd", "/home/etc", "etcetera/passwd", "x", "plain", "orders://public/private/1",
		"orders://privately/1", "orders://public:7/private/1", "orders://private@public/1", "https://example.com/", "https://internal.example.com.other.example.com/x",
		"https://other.example.com/internal.example.com/", "https://other.example.com/@internal.example.com", "http://internal.example.com/x", "http://169.254.169.253/", "http://2852039165/x", "urn:isbn:1",
		"mailto:ada@example.com", "s3://bucket", "notes://7/etc/passwd", "http://[::1]/x", "config",
	} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Allow {
			t.Errorf("%q: %+v", uri, got)
		}
	}
	whole := compile(t, rules(allow(Rule{}), deny(Rule{Resources: []string{"file:///*", "https://*"}}))).For(ada(), "")
	for uri, want := range map[string]Effect{"/etc/passwd": Deny, `\etc`: Deny, "//x/y": Deny, "notes": Allow, "a/b": Allow, "file:x": Deny, "orders://a/b": Allow} {
		if got := whole.Decide(Item{Resource, uri}, noon); got.Effect != want {
			t.Errorf("%q: %+v", uri, got)
		}
	}
}

// What is in a folder is named by the folder: file:///etc/* is about file:///etc, too.
// A rule that allows is not.
func TestFolderOfADeniedAddress(t *testing.T) {
	view := denyingView(t)
	for _, uri := range []string{
		"file:///etc", "file:///etc/", "file:/etc", "FILE:///%65tc", "file://x/etc", "file:///pub/../etc", "file:///etc?x", "/etc", `file:///etc\`, "file:///etc/.", "orders://private", "orders://Private?x",
	} {
		if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
			t.Errorf("%q passes", uri)
		}
	}
	open := compile(t, rules(allow(Rule{Resources: []string{"file:///pub/*"}}))).For(ada(), "")
	if got := open.Decide(Item{Resource, "file:///pub"}, noon); got.Effect != Deny {
		t.Error("the folder of what is allowed is allowed")
	}
}

// A pattern may have an authority in another form itself.
func TestPatternsOfAuthorities(t *testing.T) {
	for pattern, uris := range map[string][]string{
		"https://internal.example.com:443/*":  {"https://internal.example.com/x", "https://internal.example.com:443/x", "https://u@internal.example.com:8443/x"},
		"https://internal.example.com:8443/*": {"https://internal.example.com:8443/x", "https://u@internal.example.com:8443/x"},
		"https://*.example.com/*":             {"https://u@a.example.com/x", "https://a.example.com:1", "https://a。example.com"},
		"https://internal.example.com":        {"https://u@internal.example.com", "https://internal.example.com/", "https://INTERNAL.example.com:443"},
		"https://internal。example.com/*":      {"https://internal.example.com/x", "https://u@internal.example.com/"},
		"http://0x7f000001/*":                 {"http://127.0.0.1/x", "http://2130706433/x", "http://127.1/"},
		"file://x/etc/*":                      {"file://x/etc/passwd", "file://X/etc/passwd", `file:\\x\etc\passwd`},
		"file:///C:/secret/*":                 {"file:///C|/secret/a", "file://C:/secret/a", `C:\secret\a`, "c:/secret/a"},
	} {
		view := compile(t, rules(allow(Rule{}), deny(Rule{Resources: []string{pattern}}))).For(ada(), "")
		for _, uri := range uris {
			if got := view.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
				t.Errorf("%s: %q passes", pattern, uri)
			}
		}
	}
}

// readers are how servers find out where an address leads: to a host, "" being this
// machine, and a path there.
func readers(uri string) (places []string) {
	add := func(scheme, host, file string) {
		places = append(places, strings.ToLower(scheme)+"://"+strings.ToLower(host)+path.Clean("/"+file))
	}
	for _, text := range []string{uri, strings.ReplaceAll(uri, `\`, "/")} {
		if u, err := url.Parse(text); err == nil {
			host := u.Hostname()
			if strings.EqualFold(u.Scheme, "file") || u.Scheme == "" {
				host = ""
			}
			scheme := u.Scheme
			if scheme == "" {
				scheme = "file"
			}
			add(scheme, host, u.Path)
		}
		scheme, rest, found := strings.Cut(text, "://") // by hand, as many do
		if !found {
			continue
		}
		if strings.EqualFold(scheme, "file") {
			add(scheme, "", rest)
			_, after, _ := strings.Cut(rest, "/")
			add(scheme, "", after)
			continue
		}
		host, file, _ := strings.Cut(rest, "/")
		add(scheme, host, file)
		add(scheme, host[strings.LastIndexByte(host, '@')+1:], file)
	}
	return places
}

// Random addresses: where a reader comes to a denied place, the rule denies; and
// a rule that allows a place lets none pass that leads a reader out of it.
func TestAttackRandomAddresses(t *testing.T) {
	denying := denyingView(t)
	allowing := compile(t, rules(allow(Rule{Resources: []string{"file:///pub/*", "orders://public/*"}}))).For(ada(), "")
	pieces := []string{
		"file:", "orders:", "https:", "/", "/", "/", "//", `\`, "etc", "pub", "passwd", "private", "public", "internal.example.com", "..", ".", "@", ":", "x", "u", "80", "?", "#", "%2f", "%2e", "%40", "localhost", "1",
		"/etc/passwd", "/etc/passwd", "private/1", "internal.example.com/x", "/pub/a", "public/1",
	}
	random := rand.New(rand.NewPCG(1, 2))
	met, passed := 0, 0
	for range 40_000 {
		var b strings.Builder
		b.WriteString(pieces[random.IntN(3)])
		for range 2 + random.IntN(7) {
			b.WriteString(pieces[random.IntN(len(pieces))])
		}
		uri := b.String()
		places := readers(uri)
		denied := slices.ContainsFunc(places, func(place string) bool {
			return strings.HasPrefix(place, "file:///etc/") || strings.HasPrefix(place, "orders://private/") || strings.HasPrefix(place, "https://internal.example.com/")
		})
		if denied {
			met++
			if got := denying.Decide(Item{Resource, uri}, noon); got.Effect != Deny {
				t.Errorf("%q passes: %q", uri, places)
			}
		}
		if allowing.Decide(Item{Resource, uri}, noon).Effect == Allow {
			passed++
			if out := slices.IndexFunc(places, func(place string) bool {
				return !strings.HasPrefix(place, "file:///pub") && !strings.HasPrefix(place, "orders://public") && !strings.HasPrefix(uri, "file:///pub/")
			}); out >= 0 {
				t.Errorf("%q is allowed and leads to %q", uri, places[out])
			}
		}
		if t.Failed() && met > 5_000 {
			return
		}
	}
	t.Logf("%d addresses lead to what is denied, %d are allowed", met, passed)
}
