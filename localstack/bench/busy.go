package main

import (
	"os"
	"strconv"
	"strings"
)

// ticks of all processors of this machine, in use and altogether.
type ticks struct{ used, all float64 }

// processorsBusy reads /proc/stat; zero where there is none.
func processorsBusy() ticks {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return ticks{}
	}
	line, _, _ := strings.Cut(string(content), "\n")
	return ticksOf(line)
}

// ticksOf reads "cpu user nice system idle iowait ...".
func ticksOf(line string) ticks {
	var t ticks
	for i, field := range strings.Fields(line) {
		n, err := strconv.ParseFloat(field, 64)
		if err != nil || i > 8 { // guest time is part of user time
			continue
		}
		t.all += n
		if i != 4 && i != 5 {
			t.used += n
		}
	}
	return t
}

// since is the share in use from an earlier reading until this one.
func (t ticks) since(earlier ticks) float64 {
	if t.all <= earlier.all {
		return 0
	}
	return (t.used - earlier.used) / (t.all - earlier.all)
}
