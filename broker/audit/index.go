package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// index is what was learned of whole files, in a file beside the folder. It may be deleted
// at any time, and what does not fit is not used. [Verify] never reads it.
type index struct {
	folder  Folder
	entries map[string]*indexEntry
	changed bool
}

// indexEntry is what was learned of a file while it was as Size, Modified and Head say.
type indexEntry struct {
	Size     int64
	Modified time.Time
	Head     string     // the hash of its last record
	Counts   *counts    `json:",omitempty"`
	Whole    *wholeFile `json:",omitempty"` // [Check] found no flaw in it
}

// wholeFile is a file without a flaw: its records, and the hashes that were compared.
type wholeFile struct {
	Records int64
	Places  map[int64]string
}

// covers reports whether the file was compared with all of these.
func (w *wholeFile) covers(places map[int64]string) bool {
	if w == nil {
		return false
	}
	for seq, hash := range places {
		if w.Places[seq] != hash {
			return false
		}
	}
	return true
}

const (
	maxIndex = 64 << 20
	// maxGroups bounds what is kept of one file.
	maxGroups = 2000
	// settled is how long a file must be unchanged before something of it is kept.
	settled = 2 * time.Second
)

func (f Folder) indexPath() string { return filepath.Clean(string(f)) + "-index.json" }

// openIndex reads what is kept. An index that cannot be read, or was changed, is empty.
func (f Folder) openIndex() *index {
	ix := &index{folder: f, entries: map[string]*indexEntry{}}
	file, err := os.Open(f.indexPath())
	if err != nil {
		return ix
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxIndex))
	sum, text, _ := bytes.Cut(data, []byte{'\n'})
	if err != nil || string(sum) != sumOf(text) || json.Unmarshal(text, &ix.entries) != nil || !ix.sound() {
		ix.entries = map[string]*indexEntry{}
	}
	return ix
}

// sound reports whether nothing is null that must not be.
func (ix *index) sound() bool {
	for _, e := range ix.entries {
		if e == nil || e.Counts != nil && slices.Contains(e.Counts.Groups, nil) {
			return false
		}
	}
	return true
}

func sumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// entry is what is kept of a file as it is now: empty if that is nothing.
func (ix *index) entry(file File) *indexEntry {
	last := lookAt(string(ix.folder), file.Name)
	now := &indexEntry{Size: file.Size, Modified: file.Modified.UTC(), Head: string(last.hash[:])}
	kept := ix.entries[file.Name]
	if kept != nil && kept.Size == now.Size && kept.Modified.Equal(now.Modified) && kept.Head == now.Head {
		return kept
	}
	delete(ix.entries, file.Name)
	if last.seq > 0 && time.Since(file.Modified) > settled {
		ix.entries[file.Name] = now
	}
	return now
}

// save writes what changed, for the files that are there. It is no matter if it cannot.
func (ix *index) save(files []File) {
	if !ix.changed {
		return
	}
	for name, e := range ix.entries {
		there := slices.ContainsFunc(files, func(f File) bool { return f.Name == name })
		if !there || e.Counts != nil && len(e.Counts.Groups)+len(e.Counts.Open)+len(e.Counts.Results) > maxGroups {
			delete(ix.entries, name)
		}
	}
	text, err := json.Marshal(ix.entries)
	if err != nil {
		return
	}
	path := ix.folder.indexPath()
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // of mode 0600
	if err != nil {
		return
	}
	_, err = file.Write(append([]byte(sumOf(text)+"\n"), text...))
	if closeErr := file.Close(); err == nil && closeErr == nil && os.Rename(file.Name(), path) == nil {
		return
	}
	_ = os.Remove(file.Name())
}
