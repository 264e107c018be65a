package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/fileutil"
)

// ErrInUse says that another process runs the stack.
var ErrInUse = errors.New("the stack is in use by another process")

// lockPatience is how long Start waits for the lock.
const lockPatience = 2 * time.Second

// lock is held by the process that runs a stack. The system frees it when the process ends, however it ends.
type lock struct{ file *fileutil.LockedFile }

func acquire(path string) (*lock, error) {
	file, err := fileutil.TryLockFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if errors.Is(err, fileutil.ErrLocked) {
		return nil, ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &lock{file: file}, nil
}

// acquireSoon gives a process that was just killed the moment it needs to end: it has much memory to give back.
func acquireSoon(ctx context.Context, path string) (held *lock, err error) {
	for end := time.Now().Add(lockPatience); ; {
		held, err = acquire(path)
		if !errors.Is(err, ErrInUse) || time.Now().After(end) {
			return held, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (l *lock) release() { _ = l.file.Close() }

// inUse tells whether a process runs the stack.
func inUse(path string) bool {
	if _, err := os.Stat(path); err != nil {
		return false
	}
	held, err := acquire(path)
	if err != nil {
		return true
	}
	held.release()
	return false
}
