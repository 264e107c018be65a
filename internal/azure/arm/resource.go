package arm

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// request is one call about one resource.
type request struct {
	method string
	// path is below the endpoint and starts with a slash.
	path, version string
	// body is sent as JSON, nil for none.
	body any
	// ifMatch is the ETag that the resource must still have, empty for any.
	ifMatch string
	// needs is the right to do it.
	needs right
}

// resource makes the request and reads the answer into out, which may be nil. Errors are refusals, or the end of ctx.
func (c *Client) resource(ctx context.Context, doing string, what request, out any) error {
	if err := straight(what.path); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := c.do(limited, what, out)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	return c.refused(doing, err, what.needs)
}

func (c *Client) do(ctx context.Context, what request, out any) error {
	req, err := runtime.NewRequest(ctx, what.method, runtime.JoinPaths(c.reads.Endpoint(), what.path))
	if err != nil {
		return err
	}
	req.Raw().URL.RawQuery = url.Values{"api-version": {what.version}}.Encode()
	req.Raw().Header.Set("Accept", "application/json")
	if what.ifMatch != "" {
		req.Raw().Header.Set("If-Match", what.ifMatch)
	}
	if what.body != nil {
		if err := runtime.MarshalAsJSON(req, what.body); err != nil {
			return err
		}
	}
	response, err := c.reads.Pipeline().Do(req)
	if err != nil {
		return err
	}
	if !runtime.HasStatusCode(response, http.StatusOK, http.StatusCreated, http.StatusNoContent) {
		return runtime.NewResponseError(response)
	}
	if out == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	return runtime.UnmarshalAsJSON(response, out)
}

// straight refuses a path that would lead elsewhere than it says: scopes come from people.
func straight(path string) error {
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." || strings.ContainsAny(segment, "?#%\\") {
			return fmt.Errorf("%q is not an Azure resource id", path)
		}
	}
	return nil
}
