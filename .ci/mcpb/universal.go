package main

import (
	"bytes"
	"debug/macho"
	"encoding/binary"
	"errors"
	"fmt"
)

// universal puts programs for several processors into one file, as lipo does.
func universal(programs ...[]byte) ([]byte, error) {
	const (
		page       = 1 << 14 // of arm64; the other one's divides it
		pageBits   = 14
		headerSize = 8
		archSize   = 20
	)
	var header, body bytes.Buffer
	put := func(values ...uint32) {
		for _, v := range values {
			_ = binary.Write(&header, binary.BigEndian, v) // a buffer takes all
		}
	}
	put(macho.MagicFat, uint32(len(programs)))
	start := headerSize + archSize*len(programs)
	for _, program := range programs {
		parsed, err := macho.NewFile(bytes.NewReader(program))
		if err != nil {
			return nil, err
		}
		body.Write(make([]byte, (page-(start+body.Len())%page)%page))
		put(uint32(parsed.Cpu), parsed.SubCpu, uint32(start+body.Len()), uint32(len(program)), pageBits)
		body.Write(program)
	}
	whole := append(header.Bytes(), body.Bytes()...)
	return whole, readBack(whole, programs)
}

// readBack checks that a reader finds each program as it was.
func readBack(whole []byte, programs [][]byte) error {
	fat, err := macho.NewFatFile(bytes.NewReader(whole))
	if err != nil {
		return fmt.Errorf("the universal program cannot be read: %w", err)
	}
	if len(fat.Arches) != len(programs) {
		return errors.New("the universal program lacks one")
	}
	for i, arch := range fat.Arches {
		if !bytes.Equal(whole[arch.Offset:arch.Offset+arch.Size], programs[i]) {
			return errors.New("the universal program is not what went into it")
		}
	}
	return nil
}
