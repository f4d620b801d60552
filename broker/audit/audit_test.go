package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writerVariable makes the test binary append records to the folder that it names.
const writerVariable = "AUDIT_TEST_DIR"

const perWriter = 1000

func TestMain(m *testing.M) {
	if dir := os.Getenv(writerVariable); dir != "" {
		writer(dir)
		return
	}
	os.Exit(m.Run())
}

func writer(dir string) {
	l, err := Open(dir)
	if err != nil {
		panic(err)
	}
	defer l.Close()
	for i := range perWriter {
		if err := l.Append(Record{Event: Call, Name: strings.Repeat("n", i/2), Method: "tools/call"}); err != nil {
			panic(err)
		}
	}
}

func TestManyProcessesLoseAndMixNothing(t *testing.T) {
	const writers = 20
	dir := t.TempDir()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), writerVariable+"="+dir, "GORACE=atexit_sleep_ms=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	records := readAll(t, dir)
	if len(records) != writers*perWriter {
		t.Errorf("%d records, want %d", len(records), writers*perWriter)
	}
	ids, lengths := map[string]bool{}, map[int]int{}
	last := map[int]string{}
	for _, r := range records {
		ids[r.ID] = true
		lengths[len(r.Name)]++
		if r.ID <= last[r.PID] {
			t.Fatalf("id %s of process %d comes after %s", r.ID, r.PID, last[r.PID])
		}
		last[r.PID] = r.ID
	}
	if len(ids) != len(records) {
		t.Errorf("%d ids for %d records", len(ids), len(records))
	}
	for n := range perWriter / 2 {
		if lengths[n] != 2*writers {
			t.Fatalf("%d records with a name of %d bytes, want %d", lengths[n], n, 2*writers)
		}
	}
	if v := intact(t, dir); v.Records < writers*perWriter {
		t.Errorf("%d records are in the chains", v.Records)
	}
}

func TestManyGoroutinesLoseAndMixNothing(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if err := l.Append(Record{Event: Call}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if n := len(readAll(t, dir)); n != 400 {
		t.Errorf("%d records", n)
	}
}

func TestRecordReadsBack(t *testing.T) {
	dir := t.TempDir()
	want := Record{
		Time: time.Date(2026, 11, 23, 6, 7, 8, 9e6, time.UTC), ID: "ID", Event: Call,
		Profile: "work", Sub: "00u1", Email: "ada@example.com", Client: "claude", ClientVersion: "1.2",
		ClientID: "0oa1", Server: "python main.py", Session: "S", Instance: "laptop.42", PID: 42, Method: "tools/call", Name: "list_users", Decision: Deny,
		Reason: "rule 3", Arguments: []Argument{{Name: "limit", Bytes: 2, Hash: "00ff"}, {Name: "q", Bytes: 14, Value: `"x"`}}, Spoofed: true,
	}
	if err := open(t, dir).Append(want); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, dir)[0]
	want.Seq, want.Prev, want.Hash = 2, got.Prev, got.Hash
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	const line = `,"time":"2026-11-23T06:07:08.009Z","id":"ID","event":"call","profile":"work","sub":"00u1",` +
		`"email":"ada@example.com","client":"claude","client_version":"1.2","client_id":"0oa1",` +
		`"server":"python main.py","session":"S","instance":"laptop.42","pid":42,` +
		`"method":"tools/call","name":"list_users","decision":"deny","reason":"rule 3",` +
		`"arguments":[{"name":"limit","bytes":2,"hash":"00ff"},{"name":"q","bytes":14,"value":"\"x\""}],"spoofed":true,"hash":"`
	if !strings.Contains(string(content(t, dir)), line) {
		t.Errorf("%s", content(t, dir))
	}
}

func TestEmptyFieldsAreFilledIn(t *testing.T) {
	dir := t.TempDir()
	before := time.Now().Truncate(time.Millisecond)
	if err := open(t, dir).Append(Record{Event: Login}); err != nil {
		t.Fatal(err)
	}
	r := readAll(t, dir)[0]
	if r.PID != os.Getpid() || len(r.ID) != 23 || r.Time.Before(before) || r.Time.After(time.Now()) {
		t.Errorf("%+v", r)
	}
}

func TestIDsSortByTime(t *testing.T) {
	var s idSource
	base := time.UnixMilli(1_800_000_000_000)
	var ids []string
	for i := range 1000 {
		ids = append(ids, string(s.next(base.Add(time.Duration(i/10)*time.Millisecond))))
	}
	if !slices.IsSorted(ids) || len(slices.Compact(ids)) != 1000 {
		t.Error("ids do not sort by time, or repeat")
	}
}

// What a hostile tool name could do to a reader of the file.
func TestHostileNamesStayInTheirLine(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	hostile := []string{
		"x\"}\n{\"event\":\"login\",\"sub\":\"admin\"}", "a\rb\x00c\x7f", "\x1b]52;c;aGk=\x07\x1b[2J",
		"\u2028\u2029\u0085\u202e\u2066\u200b\ufeff", "\U000E0041\U0001F600", "\xff\xc3\x28\xed\xa0\x80", `\u000a\`,
	}
	for _, name := range hostile {
		r := Record{Event: Call, Name: name, Client: name, Reason: name, Arguments: []Argument{{Name: name, Bytes: 1}}}
		if err := l.Append(r); err != nil {
			t.Fatal(err)
		}
	}
	for i, b := range content(t, dir) {
		if b != '\n' && (b < ' ' || b > '~') {
			t.Fatalf("byte %d is %#x", i, b)
		}
	}
	records := readAll(t, dir)
	if len(records) != len(hostile) {
		t.Fatalf("%d records, want %d", len(records), len(hostile))
	}
	for i, r := range records {
		if want := string([]rune(hostile[i])); r.Name != want || r.Arguments[0].Name != want || r.Event != Call {
			t.Errorf("%q reads back as %q", want, r.Name)
		}
	}
}

func TestLongRecordIsCutAndSaysSo(t *testing.T) {
	dir := t.TempDir()
	var arguments []Argument
	for i := range 1000 {
		arguments = append(arguments, Argument{Name: fmt.Sprintf("argument%d", i), Bytes: i})
	}
	r := Record{Event: Call, Name: strings.Repeat("n", 64<<20), Arguments: arguments}
	if err := open(t, dir).Append(r); err != nil {
		t.Fatal(err)
	}
	got := readAll(t, dir)[0]
	if len(got.Name) != 512 || got.Cut != 64<<20-512 {
		t.Errorf("name of %d bytes, %d cut", len(got.Name), got.Cut)
	}
	if n := len(got.Arguments); n < 100 || n+got.ArgumentsCut != 1000 {
		t.Errorf("%d arguments, %d cut", n, got.ArgumentsCut)
	}
}

func TestNextDayNextFile(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	now := time.Date(2026, 12, 31, 23, 59, 59, 999e6, time.FixedZone("", 0))
	l.testOnlyNow = func() time.Time { return now }
	for range 2 {
		if err := l.Append(Record{Event: Call}); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Millisecond).In(time.FixedZone("east", 8*3600))
	}
	for _, day := range []string{"2026-12-31", "2027-01-01"} {
		b, err := os.ReadFile(filepath.Join(dir, "audit-"+day+".jsonl"))
		if err != nil || bytes.Count(b, []byte("\n")) != 2 {
			t.Errorf("%s: %q, %v", day, b, err)
		}
	}
}

func TestAppendAfterClose(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.Close()
	if err := l.Append(Record{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if r := readAll(t, dir); len(r) != 1 {
		t.Errorf("%+v", r)
	}
}

// A disk that fills up in the middle of a line.
func TestHalfLineOfAFullDiskSwallowsNothing(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	full := errors.New("no space left")
	l.testOnlyWrite = func(line []byte) (int, error) {
		n, _ := l.segment.file.Write(line[:len(line)/2])
		return n, full
	}
	if err := l.Append(Record{ID: "half"}); !errors.Is(err, full) {
		t.Errorf("Append = %v", err)
	}
	l.testOnlyWrite = nil
	for i := range 3 {
		if err := l.Append(Record{ID: fmt.Sprint(i), Event: Call}); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range readAll(t, dir) {
		if r.ID != fmt.Sprint(i) {
			t.Errorf("record %d is %+v", i, r)
		}
	}
	l.Close()
	intact(t, dir)
}

// A machine that breaks down in the middle of a line: the next program takes the
// half away, and says so.
func TestHalfLineOfACrashIsTakenAway(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	if err := l.Append(Record{ID: "1", Event: Call}); err != nil {
		t.Fatal(err)
	}
	path := l.segment.path
	if _, err := l.segment.file.WriteString(`{"seq":3,"prev":"12`); err != nil {
		t.Fatal(err)
	}
	l.Close()
	l = open(t, dir)
	if err := l.Append(Record{ID: "2", Event: Call}); err != nil {
		t.Fatal(err)
	}
	if l.segment.path != path {
		t.Errorf("went on in %s", l.segment.path)
	}
	if r := readAll(t, dir); len(r) != 2 || r[1].ID != "2" {
		t.Errorf("%+v", r)
	}
	if !bytes.Contains(content(t, dir), []byte(`"torn":19`)) {
		t.Errorf("it does not say what was taken away: %s", content(t, dir))
	}
	l.Close()
	intact(t, dir)
}

// intact fails unless all is as it was written.
func intact(t testing.TB, dir string) Verdict {
	t.Helper()
	v, err := Folder(dir).Verify()
	if err != nil || len(v.Findings) > 0 {
		t.Fatalf("%v, %v", v.Findings, err)
	}
	return v
}

func open(t testing.TB, dir string) *Log {
	t.Helper()
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// content is what all files of the folder hold.
func content(t testing.TB, dir string) []byte {
	t.Helper()
	paths, _ := filepath.Glob(filepath.Join(dir, "audit-*.jsonl"))
	var all []byte
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return all
}

func readAll(t testing.TB, dir string) (records []Record) {
	t.Helper()
	for line := range bytes.Lines(content(t, dir)) {
		if r := parse(t, line); r.Event != Start {
			records = append(records, r)
		}
	}
	return records
}

func parse(t testing.TB, line []byte) (r Record) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return r
}

// A file of an earlier version, which knew neither clients' ids nor sessions nor instances, is
// read, verified and gone on with.
func TestEntriesOfEarlierVersions(t *testing.T) {
	dir := t.TempDir()
	at := time.Now().UTC().Truncate(time.Second)
	name := fileName(at, 1)
	var lines []byte
	end := origin()
	for i, event := range []string{
		`"start","pid":7,"file":"` + name + `","version":"v1.0.0"`,
		`"call","profile":"work","sub":"00u1","client":"claude","server":"main.py","pid":7,"method":"tools/call","name":"old","decision":"allow"`,
	} {
		start := len(lines)
		lines = append(end.begin(lines), fmt.Sprintf(`,"time":"%s","id":"%d","event":%s`, at.Format("2006-01-02T15:04:05.000Z"), i, event)...)
		lines = end.seal(lines, start)
	}
	for file, text := range map[string][]byte{name: lines, tipsName: tip{name, end}.line()} {
		if err := os.WriteFile(filepath.Join(dir, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Options{Dir: dir, Instance: "laptop.8"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Append(Record{Event: Call, Name: "new", ClientID: "0oa1", Session: "S", Decision: Allow}); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if verdict, err := Folder(dir).Verify(); err != nil || verdict.Records != 4 || verdict.Files != 1 || len(verdict.Findings) > 0 {
		t.Errorf("%+v, %v", verdict, err)
	}
	for _, test := range []struct {
		filter Filter
		want   []string
	}{
		{Filter{}, []string{"old", "new"}},
		{Filter{ClientID: "0oa1"}, []string{"new"}},
		{Filter{Session: "S"}, []string{"new"}},
		{Filter{Instance: "laptop.8"}, []string{"new"}},
		{Filter{Instance: "laptop.9"}, nil},
	} {
		var got []string
		for e, err := range Folder(dir).Oldest(test.filter, 0) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Record.Name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%+v: %s", test.filter, diff)
		}
	}
}

// One call as it is on the hot path: goal under 4 µs.
func BenchmarkAppend(b *testing.B) {
	l := open(b, b.TempDir())
	r := Record{
		Event: Call, Profile: "work", Sub: "00u1abcd", Email: "ada@example.com", Client: "claude-desktop",
		ClientVersion: "1.2.3", Server: "python main.py", Method: "tools/call", Name: "list_users",
		Decision: Allow, Arguments: []Argument{{Name: "limit", Bytes: 2, Hash: "0123456789abcdef"}, {Name: "query", Bytes: 14, Hash: "0123456789abcdef"}},
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := l.Append(r); err != nil {
			b.Fatal(err)
		}
	}
}
