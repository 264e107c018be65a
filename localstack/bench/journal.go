package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// journal keeps each drain as soon as it is over, so that a long benchmark can be stopped and goes on later with what is missing. The zero
// journal keeps nothing.
type journal struct {
	file string
	mu   sync.Mutex
}

// done are the drains of the journal that are among todo and were of the same workload.
func (j *journal) done(todo []turn, size size, seed uint64) ([]drained, error) {
	if j.file == "" {
		return nil, nil
	}
	f, err := os.Open(j.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what was measured before: %w", err)
	}
	defer func() { _ = f.Close() }()
	var found []drained
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var d drained
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			return nil, fmt.Errorf("read what was measured before, remove %s to begin anew: %w", j.file, err)
		}
		if d.Size == size && d.Seed == seed && slices.ContainsFunc(todo, d.is) && !slices.ContainsFunc(found, func(o drained) bool { return o.Drainer == d.Drainer && o.Repeat == d.Repeat }) {
			found = append(found, d)
		}
	}
	return found, lines.Err()
}

// is tells that the drain was done for the turn.
func (d drained) is(t turn) bool { return d.Drainer == t.drainer && d.Repeat == t.repeat }

// add keeps one drain.
func (j *journal) add(d drained) error {
	if j.file == "" {
		return nil
	}
	line, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode a drain: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := os.OpenFile(j.file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("keep a drain: %w", err)
	}
	_, err = f.Write(append(line, '\n'))
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("keep a drain in %s: %w", j.file, err)
	}
	return nil
}
