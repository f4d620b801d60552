//go:build !linux

package main

import (
	"fmt"
	"math"
	"time"
)

// What follows is measured on Linux only.

const canPin = false

func pin(cpus string) error {
	if cpus == everywhere {
		return nil
	}
	return fmt.Errorf("-cpus %s: only Linux can pin processes to a CPU", cpus)
}

type loadMeter struct{}

func newLoadMeter() loadMeter { return loadMeter{} }

func (loadMeter) foreign() float64 { return 0 }

func family(int, string) []int { return nil }

func peakMemory([]int) float64 { return math.NaN() }

func cpuTime([]int) time.Duration { return 0 }
