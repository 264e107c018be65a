package stack

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"

	"github.com/go-logr/logr"
)

// maxLog is the size from which a log file is set aside at the next start; one earlier file is kept.
const maxLog = 64 << 20

// logs opens the log files of the stack's parts.
type logs struct {
	layout Layout

	mu    sync.Mutex
	files map[string]*os.File // by part
}

// open returns a logger that appends lines to the part's log file.
func (l *logs) open(part string) (logr.Logger, error) {
	file, err := l.file(part)
	if err != nil {
		return logr.Discard(), err
	}
	return logr.FromSlogHandler(slog.NewTextHandler(file, nil)), nil
}

func (l *logs) file(part string) (*os.File, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file := l.files[part]; file != nil {
		return file, nil
	}
	path := l.layout.Log(part)
	if err := setAside(path); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log file: %w", err)
	}
	if l.files == nil {
		l.files = map[string]*os.File{}
	}
	l.files[part] = file
	return file, nil
}

func (l *logs) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var failed error
	for _, file := range l.files {
		failed = errors.Join(failed, file.Close())
	}
	l.files = nil
	return failed
}

func setAside(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && info.Size() < maxLog {
		return nil
	}
	if err == nil {
		err = os.Rename(path, path+".old")
	}
	if err != nil {
		return fmt.Errorf("set log file aside: %w", err)
	}
	return nil
}
