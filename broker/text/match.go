package text

import (
	"fmt"
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
// Case and the choice between - and _ do not count, nor does camelCase.
func Nearest(word string, known []string) string {
	best, limit := "", 1+len(word)/4
	plain := func(s string) string { return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(s)) }
	for _, k := range known {
		if d := editDistance(plain(word), plain(k)); d <= limit {
			best, limit = k, d-1
		}
	}
	return best
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
