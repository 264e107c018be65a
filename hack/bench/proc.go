package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of processor time in /proc on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// memory is what a process holds, in bytes.
type memory struct {
	// resident counts pages in memory, shared ones too.
	resident uint64
	// private counts those that no other process shares: what would come back if it ended.
	private uint64
	// peak is the greatest resident so far.
	peak uint64
}

func memoryOf(pid int) (memory, error) {
	rollup, err := keyed(proc(pid, "smaps_rollup"))
	if err != nil {
		return memory{}, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	status, err := keyed(proc(pid, "status"))
	if err != nil {
		return memory{}, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	return memory{
		resident: rollup["Rss"], private: rollup["Private_Clean"] + rollup["Private_Dirty"], peak: status["VmHWM"],
	}, nil
}

// keyed reads lines such as "Rss:  12 kB" and returns bytes by key. Other lines are left out.
func keyed(file string) (map[string]uint64, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	values := map[string]uint64{}
	for line := range strings.Lines(string(content)) {
		key, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if len(fields) != 2 || fields[1] != "kB" {
			continue
		}
		if kilobytes, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
			values[key] = kilobytes << 10
		}
	}
	return values, nil
}

// processorTime is how much a process has used so far, in its own code and in the kernel, without its children.
func processorTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile(proc(pid, "stat"))
	if err != nil {
		return 0, fmt.Errorf("read processor time: %w", err)
	}
	ticks, err := ticksOf(string(content))
	if err != nil {
		return 0, fmt.Errorf("read processor time of process %d: %w", pid, err)
	}
	return time.Duration(ticks) * clockTick, nil
}

// ticksOf adds fields 14 and 15 of a stat line. The second field, the program's name, may itself hold spaces and brackets.
func ticksOf(stat string) (uint64, error) {
	_, rest, found := cutLast(stat, ") ")
	fields := strings.Fields(rest)
	if !found || len(fields) < 13 {
		return 0, errors.New("it does not look like a line of /proc/PID/stat")
	}
	user, err := strconv.ParseUint(fields[11], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("user time: %w", err)
	}
	system, err := strconv.ParseUint(fields[12], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("system time: %w", err)
	}
	return user + system, nil
}

func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

func proc(pid int, name string) string { return filepath.Join("/proc", strconv.Itoa(pid), name) }

func loadAverage() (float64, error) {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(content), " ")
	return strconv.ParseFloat(first, 64)
}
