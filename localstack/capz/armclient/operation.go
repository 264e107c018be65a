package armclient

import (
	"context"
	"encoding/json"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Operation is a PUT or DELETE that Azure may take minutes for. It is not safe for concurrent use.
type Operation struct {
	poller *runtime.Poller[json.RawMessage]
}

// Poll asks once how the operation is doing. It is done when done is true; then err is its outcome, nil for success.
// When done is false, err says why asking failed, and asking again is right.
func (o *Operation) Poll(ctx context.Context) (done bool, err error) {
	if !o.poller.Done() {
		if _, err := o.poller.Poll(ctx); err != nil {
			return false, err
		}
		if !o.poller.Done() {
			return false, nil
		}
	}
	_, err = o.poller.Result(ctx)
	return true, err
}
