package arm

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// collection is one list of Azure Resource Manager.
type collection struct {
	// path is below the endpoint and starts with a slash; filter is OData, empty for none.
	path, version, filter string
	// needs is the right to read it.
	needs right
}

// maxPages bounds a list that never ends.
const maxPages = 500

// list reads a whole collection. Errors are refusals.
func list[T any](ctx context.Context, c *Client, doing string, what collection) ([]T, error) {
	var all []T
	next := ""
	for range maxPages {
		var page struct {
			Value    []T    `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := c.read(ctx, what, next, &page); err != nil {
			return nil, c.refused(doing, err, what.needs)
		}
		all = append(all, page.Value...)
		if next = page.NextLink; next == "" {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%s: the list of Azure has more than %d pages", doing, maxPages)
}

func (c *Client) read(ctx context.Context, what collection, next string, page any) error {
	request, err := c.request(ctx, what, next)
	if err != nil {
		return err
	}
	response, err := c.reads.Pipeline().Do(request)
	if err != nil {
		return err
	}
	if !runtime.HasStatusCode(response, http.StatusOK) {
		return runtime.NewResponseError(response)
	}
	return runtime.UnmarshalAsJSON(response, page)
}

func (c *Client) request(ctx context.Context, what collection, next string) (*policy.Request, error) {
	if next != "" {
		// Refuses a link to another host, which would be handed our token.
		return runtime.NewRequestForNextLink(ctx, http.MethodGet, c.reads.Endpoint(), next)
	}
	request, err := runtime.NewRequest(ctx, http.MethodGet, runtime.JoinPaths(c.reads.Endpoint(), what.path))
	if err != nil {
		return nil, err
	}
	query := url.Values{"api-version": {what.version}}
	if what.filter != "" {
		query.Set("$filter", what.filter)
	}
	// ARM takes a plus for a plus.
	request.Raw().URL.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	request.Raw().Header.Set("Accept", "application/json")
	return request, nil
}
