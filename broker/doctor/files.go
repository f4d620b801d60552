package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/mcpauth/mcpauth/broker/audit"
	"github.com/mcpauth/mcpauth/broker/text"
)

const (
	maxFilesLooked = 10_000
	maxFilesNamed  = 3
	leastRoom      = 64 << 20 // bytes free; an audit file may become as large
)

// checkFiles looks at who may read, write and own what is mcpauth's. Mode bits
// mean nothing on Windows.
func (e *examination) checkFiles(ctx context.Context) []Finding {
	var open, foreign []string
	looked := 0
	look := func(path string, info fs.FileInfo) {
		looked++
		if othersMay(info) {
			open = append(open, path)
		}
		if foreignOwner(info) {
			foreign = append(foreign, path)
		}
	}
	for _, path := range e.privateFiles() {
		if info, err := os.Stat(path); err == nil {
			look(path, info)
		}
	}
	_ = filepath.WalkDir(e.Paths.StateDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil || looked > maxFilesLooked {
			return fs.SkipAll // what cannot be read is another finding
		}
		if info, err := entry.Info(); err == nil && info.Mode()&fs.ModeSymlink == 0 {
			look(path, info)
		}
		return nil
	})
	var list []Finding
	if len(open) > 0 {
		list = append(list, found("MA711", "other users can read or change "+some(open), "", "chmod go-rwx "+text.QuoteWord(open[0])))
	}
	if len(foreign) > 0 {
		list = append(list, found("MA712", "not yours: "+some(foreign), "", `sudo chown "$(id -un)" `+text.QuoteWord(foreign[0])))
	}
	if err := e.writable(); err != nil {
		list = append(list, found("MA713", e.Paths.StateDir+" cannot be written", reason(err).Error()))
	}
	if len(list) == 0 {
		return one("MA710", fmt.Sprintf("%s checked, all private to you", text.Count(looked, "file")))
	}
	return list
}

// privateFiles are the files beside the state folder that others may not read. The
// configuration and the policy hold no secret; who may write them is looked at
// whenever they are read.
func (e *examination) privateFiles() []string {
	var list []string
	for _, path := range []string{e.config.PassphraseFile, e.resolved.ClientSecretFile} {
		if path != "" {
			list = append(list, path)
		}
	}
	return list
}

// some names the first files and counts the rest.
func some(paths []string) string {
	if len(paths) <= maxFilesNamed {
		return strings.Join(paths, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(paths[:maxFilesNamed], ", "), len(paths)-maxFilesNamed)
}

// writable tries to make a file in the state folder. One that is not there yet is
// made when it is needed.
func (e *examination) writable() error {
	f, err := os.CreateTemp(e.Paths.StateDir, ".doctor-*")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func (e *examination) checkAudit(context.Context) []Finding {
	if _, err := os.Stat(e.Paths.AuditDir()); errors.Is(err, fs.ErrNotExist) {
		return one("MA720", "there is no audit log yet")
	}
	verdict, err := audit.Folder(e.Paths.AuditDir()).Check()
	if err != nil {
		return []Finding{foundError("MA722", err)}
	}
	_, bytes, err := audit.Folder(e.Paths.AuditDir()).Size()
	size := fmt.Sprintf("%s of at most %s", megabytes(bytes), megabytes(e.config.Audit.MaxBytes()))
	switch {
	case err != nil:
		return []Finding{foundError("MA722", err)}
	case len(verdict.Findings) > 0:
		return []Finding{found("MA721", fmt.Sprintf("the audit log has %s", text.Count(len(verdict.Findings), "fault")), verdict.Findings[0].String())}
	}
	return one("MA720", fmt.Sprintf("the audit log is whole: %s in %s, %s", text.Count(int(verdict.Records), "line"), text.Count(verdict.Files, "file"), size))
}

// megabytes is a number of bytes for people.
func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", (bytes+1<<20-1)>>20) }

func (e *examination) checkDisk(context.Context) []Finding {
	dir := e.Paths.StateDir
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(dir); err == nil {
			break
		}
		dir = filepath.Dir(dir)
	}
	free, err := freeBytes(dir)
	switch {
	case err != nil:
		return nil // a file system that does not say
	case free < leastRoom:
		return one("MA731", fmt.Sprintf("only %d MB are free for the audit log", free>>20))
	}
	return one("MA730", fmt.Sprintf("%d MB are free for the audit log", free>>20))
}

// reason is an error without the path, which the caller names.
func reason(err error) error {
	var outer *fs.PathError
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
