// Package armclient speaks to Azure Resource Manager about resources of any kind, by id, in plain JSON, through the
// pipeline of the Azure SDK for Go. It is what Azure Service Operator, through which CAPZ works, does too.
package armclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

const (
	moduleName    = "fleetwright-capz-stand-in"
	moduleVersion = "v0.1.0"
)

// Client calls Azure Resource Manager as one identity. It never retries by itself: whoever calls comes again.
type Client struct{ arm *arm.Client }

// New returns a client that authenticates with credential. options say where Azure is (Cloud) and how to get there
// (Transport); its retry settings are replaced.
func New(credential azcore.TokenCredential, options azcore.ClientOptions) (*Client, error) {
	// Less than 0 means none; 0 would mean three, each holding up the reconciler that waits for the answer.
	options.Retry = policy.RetryOptions{MaxRetries: -1}
	client, err := arm.NewClient(moduleName, moduleVersion, credential, &arm.ClientOptions{
		ClientOptions:         options,
		DisableRPRegistration: true,
	})
	if err != nil {
		return nil, fmt.Errorf("build a client for Azure Resource Manager: %w", err)
	}
	return &Client{arm: client}, nil
}

// Get returns the resource with this id. When it does not exist the error is an azcore.ResponseError with status 404, see
// IsNotFound.
func (c *Client) Get(ctx context.Context, id, apiVersion string) (Body, error) {
	response, err := c.do(ctx, http.MethodGet, id, apiVersion, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	return decode(response)
}

// Post calls an action of a resource, such as listClusterAdminCredential, that answers at once.
func (c *Client) Post(ctx context.Context, id, apiVersion string) (Body, error) {
	response, err := c.do(ctx, http.MethodPost, id, apiVersion, nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	return decode(response)
}

// List returns the resources of a collection, all pages of it.
func (c *Client) List(ctx context.Context, id, apiVersion string) ([]Body, error) {
	request, err := c.request(ctx, http.MethodGet, id, apiVersion)
	if err != nil {
		return nil, err
	}
	var all []Body
	for {
		response, err := c.send(request, http.StatusOK)
		if err != nil {
			return nil, err
		}
		var page struct {
			Value    []Body `json:"value"`
			NextLink string `json:"nextLink"`
		}
		if err := runtime.UnmarshalAsJSON(response, &page); err != nil {
			return nil, fmt.Errorf("read a page of %s: %w", id, err)
		}
		all = append(all, page.Value...)
		if page.NextLink == "" {
			return all, nil
		}
		if request, err = runtime.NewRequest(ctx, http.MethodGet, page.NextLink); err != nil {
			return nil, fmt.Errorf("ask for the next page of %s: %w", id, err)
		}
	}
}

// BeginPut creates or replaces a resource. The operation may be done already; ask Operation.Poll.
func (c *Client) BeginPut(ctx context.Context, id, apiVersion string, body Body) (*Operation, error) {
	return c.begin(ctx, http.MethodPut, id, apiVersion, body, http.StatusOK, http.StatusCreated, http.StatusAccepted)
}

// BeginDelete deletes a resource. Deleting what does not exist is done at once.
func (c *Client) BeginDelete(ctx context.Context, id, apiVersion string) (*Operation, error) {
	return c.begin(ctx, http.MethodDelete, id, apiVersion, nil, http.StatusOK, http.StatusAccepted, http.StatusNoContent)
}

func (c *Client) begin(ctx context.Context, method, id, apiVersion string, body Body, codes ...int) (*Operation, error) {
	response, err := c.do(ctx, method, id, apiVersion, body, codes...)
	if err != nil {
		return nil, err
	}
	poller, err := runtime.NewPoller[json.RawMessage](response, c.arm.Pipeline(), nil)
	if err != nil {
		return nil, fmt.Errorf("follow the operation on %s: %w", id, err)
	}
	return &Operation{poller: poller}, nil
}

func (c *Client) do(ctx context.Context, method, id, apiVersion string, body Body, codes ...int) (*http.Response, error) {
	request, err := c.request(ctx, method, id, apiVersion)
	if err != nil {
		return nil, err
	}
	if body != nil {
		if err := runtime.MarshalAsJSON(request, body); err != nil {
			return nil, fmt.Errorf("encode %s: %w", id, err)
		}
	}
	return c.send(request, codes...)
}

func (c *Client) request(ctx context.Context, method, id, apiVersion string) (*policy.Request, error) {
	request, err := runtime.NewRequest(ctx, method, runtime.JoinPaths(c.arm.Endpoint(), id))
	if err != nil {
		return nil, fmt.Errorf("ask for %s: %w", id, err)
	}
	query := request.Raw().URL.Query()
	query.Set("api-version", apiVersion)
	request.Raw().URL.RawQuery = query.Encode()
	request.Raw().Header.Set("Accept", "application/json")
	return request, nil
}

func (c *Client) send(request *policy.Request, codes ...int) (*http.Response, error) {
	response, err := c.arm.Pipeline().Do(request)
	if err != nil {
		return nil, err
	}
	if !runtime.HasStatusCode(response, codes...) {
		return nil, runtime.NewResponseError(response)
	}
	return response, nil
}

func decode(response *http.Response) (Body, error) {
	var body Body
	if err := runtime.UnmarshalAsJSON(response, &body); err != nil {
		return nil, fmt.Errorf("read Azure's answer: %w", err)
	}
	return body, nil
}
