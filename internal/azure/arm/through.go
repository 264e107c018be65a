package arm

import (
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Through makes a Client for one who has a credential and a way to Azure already: a benchmark whose Azure is in memory. principal is whom
// Azure counts the requests for.
func Through(o Options, principal string, credential azcore.TokenCredential, transport policy.Transporter) (*Client, error) {
	o.transport = transport
	options, _, err := sdkOptions(o)
	if err != nil {
		return nil, err
	}
	return newClient(o, options, credential, who{principal: principal})
}
