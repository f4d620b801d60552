package text

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// DidYouMean is the end of a sentence about a word that is not known: the known word
// that was meant, or all of them.
func DidYouMean(word string, known []string) string {
	if n := Nearest(word, known); n != "" {
		return fmt.Sprintf("; did you mean %s?", n)
	}
	return fmt.Sprintf("; known are %s", strings.Join(known, ", "))
}

// Nearest returns the known word that is a typing error away from word, or "".
func Nearest(word string, known []string) string {
	if near := Near(word, known); len(near) > 0 {
		return near[0]
	}
	return ""
}

// Near returns the known words that are a typing error away from word, the nearest
// first, and of equal ones those of the same length. Case and the choice between - and _ do not count, nor does camelCase.
func Near(word string, known []string) []string {
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	distance := func(k string) int { return editDistance(plain(word), plain(k)) }
	near := slices.DeleteFunc(slices.Clone(known), func(k string) bool { return distance(k) > 1+len(word)/4 })
	slices.SortStableFunc(near, func(a, b string) int {
		byLength := func(k string) int { return max(len(k)-len(word), len(word)-len(k)) }
		return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(byLength(a), byLength(b)))
	})
	return near
}

// editDistance counts the letters to insert, delete, replace or swap with
// their neighbour (optimal string alignment) that make a into b.
func editDistance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
