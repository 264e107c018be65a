package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli/management"
)

// follow prints what changes from now on, until ctx ends. It watches, and comes back by itself after the connection was
// lost; what happened meanwhile shows as one change.
func (o *options) follow(ctx context.Context, c client.WithWatch, known *fleetwrightv1.NodepoolList) error {
	f := &follower{scope: o.scope, rows: map[types.UID][]any{}}
	if o.isForPrograms() {
		f.print = o.printOne
	} else {
		f.table = newTable(o.streams.Out, o.tableOptions())
		f.print = func(np *fleetwrightv1.Nodepool, row []any) error {
			return f.table.addRows(metav1.TableRow{Cells: row, Object: runtime.RawExtension{Object: np}})
		}
		if o.name != "" && len(known.Items) > 0 || o.cluster != "" {
			fmt.Fprintln(o.streams.Out)
		}
	}
	for i := range known.Items {
		if o.isForPrograms() {
			f.rows[known.Items[i].UID] = f.row(&known.Items[i])
			continue
		}
		f.changed(&known.Items[i])
	}
	informer := cache.NewSharedInformer(o.listWatch(c), &fleetwrightv1.Nodepool{}, 0)
	if err := errors.Join(f.watch(informer), informer.SetWatchErrorHandlerWithContext(tellOf(o.streams.ErrOut))); err != nil {
		return fmt.Errorf("watch Nodepools: %w", err)
	}
	informer.RunWithContext(ctx)
	return f.err
}

func (o *options) listWatch(c client.WithWatch) cache.ListerWatcher {
	scoped := func(raw metav1.ListOptions) *client.ListOptions {
		options := o.options()
		options.Raw = &raw
		return options
	}
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, raw metav1.ListOptions) (runtime.Object, error) {
			list := &fleetwrightv1.NodepoolList{}
			return list, c.List(ctx, list, scoped(raw))
		},
		WatchFuncWithContext: func(ctx context.Context, raw metav1.ListOptions) (watch.Interface, error) {
			return c.Watch(ctx, &fleetwrightv1.NodepoolList{}, scoped(raw))
		},
	}
}

// tellOf says that the connection is lost, once for each reason in a row.
func tellOf(to io.Writer) cache.WatchErrorHandlerWithContext {
	last := ""
	return func(ctx context.Context, _ *cache.Reflector, err error) {
		if ctx.Err() != nil || errors.Is(err, io.EOF) {
			return
		}
		if says := management.Explain(err).Error(); says != last {
			last = says
			fmt.Fprintf(to, "the watch broke off and is tried again: %s\n", says)
		}
	}
}

// printOne prints an object that changed, whole.
func (o *options) printOne(np *fleetwrightv1.Nodepool, _ []any) error {
	printer, err := o.printFlags.ToPrinter(o.output)
	if err != nil {
		return err
	}
	return printer.PrintObj(named(np.DeepCopy()), o.streams.Out)
}

// follower prints Nodepools whose line is another than the one last printed. It is called by one goroutine at a time.
type follower struct {
	scope
	table *table
	rows  map[types.UID][]any
	print func(*fleetwrightv1.Nodepool, []any) error
	err   error
}

func (f *follower) watch(informer cache.SharedInformer) error {
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    f.changed,
		UpdateFunc: func(_, now any) { f.changed(now) },
		DeleteFunc: f.deleted,
	})
	return err
}

// row is the line of a Nodepool; programs are told of every change of it.
func (f *follower) row(np *fleetwrightv1.Nodepool) []any {
	if f.table == nil {
		return []any{np.ResourceVersion}
	}
	return f.table.row(np)
}

func (f *follower) changed(object any) {
	np, ok := object.(*fleetwrightv1.Nodepool)
	if !ok || !f.has(np) {
		return
	}
	row := f.row(np)
	if slices.Equal(f.rows[np.UID], row) {
		return
	}
	f.rows[np.UID] = row
	f.say(np, row)
}

func (f *follower) deleted(object any) {
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	np, ok := object.(*fleetwrightv1.Nodepool)
	if !ok || !f.has(np) {
		return
	}
	delete(f.rows, np.UID)
	row := f.row(np)
	row[len(row)-1] = "is gone"
	f.say(np, row)
}

func (f *follower) say(np *fleetwrightv1.Nodepool, row []any) {
	if err := f.print(np, row); err != nil && f.err == nil {
		f.err = fmt.Errorf("print a change: %w", err)
	}
}
