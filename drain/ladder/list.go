package ladder

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/pager"
)

// each reads a list page by page and hands over each item: all of them, or an error. A list that expires before its end is
// an error too, because what would be read instead is of another moment.
func each[L runtime.Object, T any](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), options metav1.ListOptions, visit func(*T),
) error {
	pages := pager.New(func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return list(ctx, options)
	})
	return pages.EachListItem(ctx, options, func(item runtime.Object) error {
		typed, ok := any(item).(*T)
		if !ok {
			return fmt.Errorf("list holds a %T", item)
		}
		visit(typed)
		return nil
	})
}
