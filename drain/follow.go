package drain

import (
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"
)

// source is one kind of objects that is followed: L is its list, T the object and S its slim form.
type source[L metav1.ListInterface, T any, S any] struct {
	list  func(context.Context, metav1.ListOptions) (L, error)
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error)
	items func(L) []T
	slim  func(*T) S
	// put and drop take one object, known yields those that the mirror has, and key tells them apart. All are called with the
	// mirror's lock held.
	put, drop func(S)
	known     func(yield func(S) bool)
	key       func(S) string
}

// follower keeps one kind of objects up to date until its context ends.
type follower struct {
	kind string
	// synced is closed after the first whole list.
	synced chan struct{}
	// failed is closed when the first list was not to be had.
	failed chan struct{}
	run    func(context.Context)
	// trouble is why the copy is not kept up at the moment, nil while it is; guarded by the mirror's lock.
	trouble error
}

// watchHolds is how long a watch must have lasted for its end to be no trouble. A list that succeeds says nothing about the
// watch after it, which may be forbidden or too old each time.
const watchHolds = time.Minute

// relist bounds how fast lists that fail, or watches that are not continued, begin anew.
var relist = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.1, Steps: 6, Cap: 15 * time.Second}

func follow[L metav1.ListInterface, T any, S any](m *mirror, kind string, s source[L, T, S]) *follower {
	f := &follower{kind: kind, synced: make(chan struct{}), failed: make(chan struct{})}
	say := func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		before := f.trouble
		if f.trouble = nil; err != nil {
			f.trouble = fmt.Errorf("follow %s: %w", kind, err)
		}
		if (before == nil) != (err == nil) {
			m.changed(nil)
		}
	}
	f.run = func(ctx context.Context) {
		delay := relist
		for ctx.Err() == nil {
			revision, err := s.load(ctx, m)
			if err == nil {
				say(nil)
				f.mark(f.synced)
				began := time.Now()
				err = s.follow(ctx, m, revision, say)
				if time.Since(began) >= watchHolds {
					delay = relist
				}
			}
			if ctx.Err() == nil && err != nil {
				say(err)
				f.mark(f.failed)
			}
			select {
			case <-ctx.Done():
			case <-time.After(delay.Step()):
			}
		}
	}
	return f
}

// ready waits for the first whole list. It fails with the first attempt to read it, unless a later one succeeded by now.
func (f *follower) ready(ctx context.Context, m *mirror) error {
	select {
	case <-f.synced:
		return nil
	default:
	}
	select {
	case <-f.synced:
		return nil
	case <-f.failed:
		m.mu.Lock()
		defer m.mu.Unlock()
		return f.trouble
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mark closes a channel once. Only the follower's own goroutine does.
func (f *follower) mark(reached chan struct{}) {
	select {
	case <-reached:
	default:
		close(reached)
	}
}

// load takes a whole list page by page, so that it is never held beside the mirror, and what is not in it for gone.
func (s source[L, T, S]) load(ctx context.Context, m *mirror) (revision string, err error) {
	var listed map[string]bool
	revision, err = listAt(ctx, s.list, metav1.ListOptions{}, func() { listed = map[string]bool{} }, func(page L) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for _, slim := range slimmed(s.items(page), s.slim) {
			s.put(slim)
			listed[s.key(slim)] = true
		}
	})
	if err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []S
	for slim := range s.known {
		if !listed[s.key(slim)] {
			gone = append(gone, slim)
		}
	}
	for _, slim := range gone {
		s.drop(slim)
	}
	m.changed(nil)
	return revision, nil
}

// follow takes changes from the revision on, over any number of connections, and returns when it must begin anew with a
// list.
func (s source[L, T, S]) follow(ctx context.Context, m *mirror, revision string, say func(error)) error {
	connect := func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		w, err := s.watch(ctx, options)
		if ctx.Err() == nil {
			say(err)
		}
		return w, err
	}
	ctx = klog.NewContext(ctx, logr.Discard()) // what is wrong is reported by us, and an end of the drain is not
	w, err := watchtools.NewRetryWatcherWithContext(ctx, revision, &cache.ListWatch{WatchFuncWithContext: connect})
	if err != nil {
		return err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		if event.Type == watch.Error {
			return apierrors.FromObject(event.Object)
		}
		object, ok := any(event.Object).(*T)
		if !ok {
			continue
		}
		slim := s.slim(object)
		m.mu.Lock()
		if event.Type == watch.Deleted {
			s.drop(slim)
		} else {
			s.put(slim)
		}
		m.mu.Unlock()
	}
	return nil
}
