package broker

import (
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Policy is the broker's place in a pipeline of the Azure SDK, among the policies of each try: what is sent again is counted
// again. principal is whom Azure counts the requests for; clients of one principal share its budget.
func (b *Broker) Policy(principal string) policy.Policy { return gate{b, principal} }

type gate struct {
	broker    *Broker
	principal string
}

// Do implements policy.Policy.
func (g gate) Do(req *policy.Request) (*http.Response, error) {
	raw := req.Raw()
	call := CallOf(raw.Context())
	ticket, err := g.broker.enter(raw.Context(), call, targetOf(g.principal, raw.Method, raw.URL.Path, call.Region))
	if err != nil {
		return nil, err
	}
	var said reply
	defer func() { g.broker.leave(ticket, said) }()
	response, err := req.Next()
	if err == nil {
		said = replyOf(response, g.broker.clock.Now())
	}
	return response, err
}
