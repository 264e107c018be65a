package workload

import (
	"errors"
	"io"
	"net/http"

	utilnet "k8s.io/apimachinery/pkg/util/net"
)

// maxAnswer is the longest answer read from a workload cluster. A page of 500
// large objects has some 10 MiB.
const maxAnswer = 64 << 20

var errAnswerTooLong = errors.New("the answer is longer than 64 MiB")

// bounded keeps one workload cluster from filling the memory of the manager of
// all: whatever is read of an answer beyond maxAnswer is an error. A watch is
// read piece by piece, each of which client-go bounds.
type bounded struct {
	next *http.Transport
	// changed is told of every write to an object, once it is through or nobody
	// knows. Evictions, which are no such writes, are not told.
	changed func()
}

var _ utilnet.RoundTripperWrapper = bounded{}

// WrappedRoundTripper lets net/http and client-go find the transport, to cancel
// requests.
func (b bounded) WrappedRoundTripper() http.RoundTripper { return b.next }

func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method == http.MethodPatch {
		defer b.changed()
	}
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if !isWatch(request) {
		response.Body = &boundedBody{ReadCloser: response.Body, left: maxAnswer}
	}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errAnswerTooLong
	}
	return n, err
}
