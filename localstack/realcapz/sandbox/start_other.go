//go:build !linux

package sandbox

import (
	"context"
	"fmt"
	"runtime"
)

// Start fails with ErrUnsupported: only Linux has network namespaces.
func Start(context.Context, Options) (*Sandbox, error) {
	return nil, fmt.Errorf("start sandbox on %s: %w", runtime.GOOS, ErrUnsupported)
}

// Main fails: Start never runs it.
func Main() int { return 1 }

// Bring fails: there is never a sandbox.
func (s *Sandbox) Bring(int) error { return ErrUnsupported }
