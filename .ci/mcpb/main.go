// Command mcpb builds the bundle for Claude Desktop: a zip file with the program
// for each system that Claude Desktop runs on, and a manifest that says how to
// start it (https://github.com/anthropics/mcpb, manifest 0.3).
//
//	go run ./.ci/mcpb -version 1.2.3 -commit HASH -date 2026-11-27T10:00:00Z -out mcpauth.mcpb
//
// The same version and date give the same bytes.
package main

import (
	"archive/zip"
	"compress/flate"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// release is what is built.
type release struct {
	version, commit, date string
	time                  time.Time
}

func main() {
	log.SetFlags(0)
	var r release
	out := flag.String("out", "mcpauth.mcpb", "file to write")
	flag.StringVar(&r.version, "version", "0.0.0", "version, as npm understands one")
	flag.StringVar(&r.commit, "commit", "", "commit that is built")
	flag.StringVar(&r.date, "date", "", "time of the commit, RFC 3339")
	flag.Parse()
	if err := r.write(*out); err != nil {
		log.Fatal("mcpb: ", err)
	}
}

func (r release) write(path string) (err error) {
	if r.time, err = time.Parse(time.RFC3339, r.date); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mcpb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var programs []entry
	for _, build := range []func(dir string) (entry, error){r.darwin, r.single("linux", "mcpauth-linux"), r.single("windows", "mcpauth.exe")} {
		program, err := build(dir)
		if err != nil {
			return err
		}
		programs = append(programs, program)
	}
	about, err := json.MarshalIndent(manifest(r.version), "", "  ")
	if err != nil {
		return err
	}
	license, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	return r.zip(path, append([]entry{
		{name: "manifest.json", mode: 0o644, data: append(about, '\n')},
		{name: "LICENSE", mode: 0o644, data: license},
	}, programs...))
}

// entry is one file of the bundle.
type entry struct {
	name string
	mode fs.FileMode
	data []byte
}

// single builds the program for a system whose Claude Desktop is for amd64; the one
// for Windows on arm64 runs such programs, too.
func (r release) single(system, name string) func(dir string) (entry, error) {
	return func(dir string) (entry, error) {
		data, err := r.build(dir, system, "amd64")
		return entry{"server/" + name, 0o755, data}, err
	}
}

// darwin builds one program for both processors: a manifest cannot tell them apart.
func (r release) darwin(dir string) (entry, error) {
	intel, err := r.build(dir, "darwin", "amd64")
	if err != nil {
		return entry{}, err
	}
	apple, err := r.build(dir, "darwin", "arm64")
	if err != nil {
		return entry{}, err
	}
	data, err := universal(intel, apple)
	return entry{"server/mcpauth", 0o755, data}, err
}

// build runs the build of .goreleaser.yaml; CI compares the bytes of the two.
func (r release) build(dir, system, arch string) ([]byte, error) {
	const variables = " -X github.com/mcpauth/mcpauth/cmd/console."
	path := filepath.Join(dir, system+"-"+arch)
	build := exec.Command("go", "build", "-trimpath", "-o", path,
		"-ldflags", "-s -w"+variables+"version="+r.version+variables+"commit="+r.commit+variables+"date="+r.date, "./cmd/mcpauth")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("building for %s/%s: %w", system, arch, err)
	}
	return os.ReadFile(path)
}

func (r release) zip(path string, entries []entry) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	bundle := zip.NewWriter(file)
	bundle.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	for _, e := range entries {
		header := &zip.FileHeader{Name: e.name, Method: zip.Deflate, Modified: r.time.UTC()}
		header.SetMode(e.mode)
		w, err := bundle.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := w.Write(e.data); err != nil {
			return err
		}
	}
	if err := bundle.Close(); err != nil {
		return err
	}
	return file.Close()
}
