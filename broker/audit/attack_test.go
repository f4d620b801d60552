package audit

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// three is a folder of three files: of yesterday, and two of today, the newest last.
func three(t *testing.T) (dir string, names []string) {
	t.Helper()
	dir = t.TempDir()
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	write := func(l *Log) *Log {
		t.Helper()
		for i := range 5 {
			if err := l.Append(Record{Event: Call, Name: fmt.Sprint("tool", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Flush(); err != nil {
			t.Fatal(err)
		}
		names = append(names, l.segment.name)
		return l
	}
	begin := func() *Log {
		return &Log{Options: Options{Dir: dir, MaxSize: DefaultMaxSize}, testOnlyNow: func() time.Time { return now }}
	}
	write(begin()).Close()
	now = now.AddDate(0, 0, 1)
	first := write(begin())
	write(begin()).Close()
	first.Close()
	write(begin()).Close() // goes on with the first file, and has seen the second
	names = names[:3]
	intact(t, dir)
	return dir, names
}

// editHeads changes the lines of the heads file. A line that becomes empty is taken away.
func editHeads(t *testing.T, dir string, edit func(line string) string) {
	t.Helper()
	path := filepath.Join(dir, tipsName)
	heads, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var changed strings.Builder
	for line := range strings.Lines(string(heads)) {
		changed.WriteString(edit(line))
	}
	if err := os.WriteFile(path, []byte(changed.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// cutFile leaves so many lines of a file, and has the heads file say so.
func cutFile(t *testing.T, dir, name string, lines int) {
	t.Helper()
	path := filepath.Join(dir, name)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	left := bytes.Join(bytes.SplitAfter(whole, []byte{'\n'})[:lines], nil)
	if err := os.WriteFile(path, left, 0o600); err != nil {
		t.Fatal(err)
	}
	last := left[bytes.LastIndexByte(left[:len(left)-1], '\n')+1:]
	r, err := sealed(bytes.TrimSpace(last))
	if err != nil {
		t.Fatal(err)
	}
	editHeads(t, dir, func(line string) string {
		if strings.HasPrefix(line, name+" ") {
			h := tip{name: name, link: link{seq: r.Seq}}
			copy(h.hash[:], r.Hash)
			return string(h.line())
		}
		return line
	})
}

func dropFile(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func lineOf(name string) func(string) bool {
	return func(line string) bool { return strings.HasPrefix(line, name+" ") }
}

// Whoever changes the heads file along with a file is found all the same.
func TestAttackHeadsFileChangedWithTheFiles(t *testing.T) {
	without := func(t *testing.T, dir, name string) {
		editHeads(t, dir, func(line string) string {
			if lineOf(name)(line) {
				return ""
			}
			return line
		})
	}
	as := func(t *testing.T, dir, name, state string) {
		editHeads(t, dir, func(line string) string {
			if lineOf(name)(line) {
				return strings.Replace(line, " live    ", fmt.Sprintf(" %-7s ", state), 1)
			}
			return line
		})
	}
	free := func(t *testing.T, dir, name string) {
		editHeads(t, dir, func(line string) string {
			if lineOf(name)(line) {
				return string(tip{link: origin()}.line())
			}
			return line
		})
	}
	change := func(t *testing.T, dir, name string) {
		path := filepath.Join(dir, name)
		whole, _ := os.ReadFile(path)
		if err := os.WriteFile(path, bytes.Replace(whole, []byte("tool3"), []byte("toolX"), 1), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for what, attack := range map[string]func(t *testing.T, dir, name string){
		"removed in heads, and a record changed": func(t *testing.T, dir, name string) { as(t, dir, name, "removed"); change(t, dir, name) },
		"removed in heads, and the file taken":   func(t *testing.T, dir, name string) { as(t, dir, name, "removed"); dropFile(t, dir, name) },
		"removed in heads, and the file cut": func(t *testing.T, dir, name string) {
			cutFile(t, dir, name, 3)
			as(t, dir, name, "removed")
		},
		"file and line taken":     func(t *testing.T, dir, name string) { without(t, dir, name); dropFile(t, dir, name) },
		"file taken, line free":   func(t *testing.T, dir, name string) { free(t, dir, name); dropFile(t, dir, name) },
		"line taken":              without,
		"line free":               free,
		"line free, a change":     func(t *testing.T, dir, name string) { free(t, dir, name); change(t, dir, name) },
		"file shorter, line, too": func(t *testing.T, dir, name string) { cutFile(t, dir, name, 3) },
		"file of one line":        func(t *testing.T, dir, name string) { cutFile(t, dir, name, 1) },
		"file empty, line of zero": func(t *testing.T, dir, name string) {
			if err := os.Truncate(filepath.Join(dir, name), 0); err != nil {
				t.Fatal(err)
			}
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					return string(tip{name: name, link: origin()}.line())
				}
				return line
			})
		},
		"second line before, the file cut": func(t *testing.T, dir, name string) {
			var old string
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					old = line
				}
				return line
			})
			cutFile(t, dir, name, 3)
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					return old + line
				}
				return line
			})
		},
		"second line behind, the file cut": func(t *testing.T, dir, name string) {
			var old string
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					old = line
				}
				return line
			})
			cutFile(t, dir, name, 3)
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					return line + old
				}
				return line
			})
		},
		"the same line twice": func(t *testing.T, dir, name string) {
			editHeads(t, dir, func(line string) string {
				if lineOf(name)(line) {
					return line + line
				}
				return line
			})
		},
		"a link in its place": func(t *testing.T, dir, name string) {
			path := filepath.Join(dir, name)
			if err := os.Rename(path, filepath.Join(t.TempDir(), "x")); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(dir, tipsName), path); err != nil {
				t.Skip(err)
			}
			without(t, dir, name)
		},
	} {
		for i, which := range []string{"yesterday's", "today's first", "the newest"} {
			t.Run(what+", "+which, func(t *testing.T) {
				dir, names := three(t)
				attack(t, dir, names[i])
				if len(found(t, dir)) == 0 {
					heads, _ := os.ReadFile(filepath.Join(dir, tipsName))
					t.Errorf("nothing is found; heads:\n%s", heads)
				}
			})
		}
	}
}

// All files taken away, with their lines.
func TestAttackAllFilesTakenWithTheirLines(t *testing.T) {
	dir, names := three(t)
	for _, name := range names {
		dropFile(t, dir, name)
	}
	editHeads(t, dir, func(string) string { return "" })
	if len(found(t, dir)) == 0 {
		t.Error("nothing is found")
	}
}

// A record that says that a file was removed counts only where the file was old enough.
func TestAttackRemovalOfYoungFile(t *testing.T) {
	dir, names := three(t)
	l := open(t, dir)
	r := Record{Event: Removed, File: names[1], Reason: fmt.Sprintf(olderThan, 90), Time: time.Date(2026, 6, 3, 0, 0, 0, 0, time.UTC)}
	if err := l.Append(r); err != nil {
		t.Fatal(err)
	}
	l.Close()
	dropFile(t, dir, names[1])
	if len(found(t, dir)) == 0 {
		t.Error("nothing is found")
	}
}
