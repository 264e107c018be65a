package drain

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	pageSize = 500
	// listAttempts bounds how often a list begins anew because it expired between two pages.
	listAttempts = 3
)

// errTorn says that the pages of a list do not belong to one revision.
var errTorn = errors.New("pages of the list are of different revisions")

// listAll reads a list page by page at one revision and returns what slim makes of the items: all of them or an
// error, never a part. Each page is slimmed at once, so that the full objects of a large cluster are never held together.
func listAll[L metav1.ListInterface, S any](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), options metav1.ListOptions, slim func(L) []S,
) ([]S, error) {
	var items []S
	_, err := listAt(ctx, list, options, func() { items = []S{} }, func(page L) { items = append(items, slim(page)...) })
	if err != nil {
		return nil, err
	}
	return items, nil
}

// listAt gives each page of a list at one revision to take, and returns that revision. A list that expires between two pages
// begins anew, with begin; it is not continued at a newer revision, because a pod that moved meanwhile would be missed.
func listAt[L metav1.ListInterface](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), options metav1.ListOptions, begin func(), take func(L),
) (revision string, err error) {
	for range listAttempts {
		begin()
		if revision, err = readPages(ctx, list, options, take); err == nil {
			return revision, nil
		}
		if !apierrors.IsResourceExpired(err) && !errors.Is(err, errTorn) {
			return "", err
		}
	}
	return "", fmt.Errorf("list expired %d times before its end: %w", listAttempts, err)
}

func readPages[L metav1.ListInterface](
	ctx context.Context, list func(context.Context, metav1.ListOptions) (L, error), options metav1.ListOptions, take func(L),
) (revision string, err error) {
	options.Limit = pageSize
	for {
		page, err := list(ctx, options)
		if err != nil {
			return "", err
		}
		if options.Continue == "" {
			revision = page.GetResourceVersion()
		} else if page.GetResourceVersion() != revision {
			return "", errTorn
		}
		take(page)
		if page.GetContinue() == "" {
			return revision, nil
		}
		options.Continue = page.GetContinue()
	}
}
