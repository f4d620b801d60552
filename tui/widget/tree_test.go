package widget

import (
	"fmt"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"github.com/mcpauth/mcpauth/broker/toolargs"
)

func treeOf(t testing.TB, text string) *Tree {
	t.Helper()
	v, err := toolargs.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return newTree(v)
}

func (t *Tree) plain(width, height int) string {
	lines := t.View(NewTheme(func(string) string { return "" }), width, height)
	for i, line := range lines {
		lines[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	return strings.Join(lines, "\n")
}

// pressing does what keys do in a tree.
func (t *Tree) pressing(keys ...string) {
	for _, key := range keys {
		b, _ := Bound(t.Bindings(), key)
		b.Act()
	}
}

func TestTree(t *testing.T) {
	w := treeOf(t, `{"orders":[{"id":"O-1","lines":[{"sku":"a"},{"sku":"b"}],"note":"one\ntwo"},{"id":"O-2","lines":[]}],"next":null,"empty":{}}`)
	expect := func(want string) {
		t.Helper()
		if got := w.plain(44, 20); got != strings.TrimPrefix(want, "\n") {
			t.Fatalf("it shows\n%s\nwant\n%s", got, want)
		}
	}
	expect(`
▾ orders  2 items
  ▾ 0  3 members
      id  O-1
    ▾ lines  2 items
      ▾ 0  1 member
          sku  a
      ▾ 1  1 member
          sku  b
      note  one …
  ▾ 1  2 members
      id  O-2
      lines  []
  next  null
  empty  {}`)
	w.pressing("-")
	expect(`
▸ orders  2 items  {…}, {…}
  next  null
  empty  {}`)
	w.pressing("enter", "down", "right", "down", "down", "down")
	if path := w.Path(); path != "$.orders[0].note" {
		t.Errorf("the cursor is at %s", path)
	}
	w.pressing("enter")
	expect(`
▾ orders  2 items
  ▾ 0  3 members
      id  O-1
    ▸ lines  2 items  {…}, {…}
      note
        one
        two
  ▸ 1  2 members  id: O-2, lines: […]
  next  null
  empty  {}`)
	if w.text() != "one\ntwo" {
		t.Errorf("copied %q", w.text())
	}
	w.pressing("left", "left", "left")
	expect(`
▾ orders  2 items
  ▸ 0  3 members  id: O-1, lines: […], note…
  ▸ 1  2 members  id: O-2, lines: […]
  next  null
  empty  {}`)
	w.pressing("+")
	if strings.Count(w.plain(44, 40), "sku") != 2 {
		t.Errorf("not all is open:\n%s", w.plain(44, 40))
	}
}

// What is no container, or an empty one, is a tree of one row.
func TestTreeOfOne(t *testing.T) {
	for _, one := range []string{`"text"`, `{}`, `[]`, `null`, `12`} {
		w := treeOf(t, one)
		w.pressing("enter", "right", "left", "-", "+", "end", "home")
		if w.Path() != "$" || len(w.plain(20, 5)) == 0 {
			t.Errorf("%s: %s\n%s", one, w.Path(), w.plain(20, 5))
		}
	}
}

// What is open of a large value is bounded, and more of it is opened step by step.
func TestTreeOfMuch(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, `,{"i":%d}`, i)
	}
	w := treeOf(t, `{"all":[`+b.String()[1:]+`]}`)
	if len(w.rows) > treeFirst+1 {
		t.Errorf("%d rows are open at first", len(w.rows))
	}
	w.pressing("right")
	w.pressing("end")
	if view := w.plain(60, 10); !strings.Contains(view, "99500 more: enter opens them") {
		t.Errorf("the end is\n%s", view)
	}
	w.pressing("enter", "end")
	if view := w.plain(60, 10); !strings.Contains(view, "99000 more") || !strings.Contains(view, "▸ 999  1 member  i: 999") {
		t.Errorf("the end is\n%s", view)
	}
	w.pressing("+")
	if len(w.rows) > 2*treeMost {
		t.Errorf("%d rows are open", len(w.rows))
	}
}
