package arm

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// configuration is the cloud of the options; named tells whether Microsoft's instance discovery knows it.
func configuration(o Options) (c cloud.Configuration, named bool, err error) {
	own := []string{o.ResourceManagerEndpoint, o.ResourceManagerAudience, o.AuthorityHost}
	if strings.Join(own, "") == "" {
		c, err := byName(o.Cloud)
		return c, true, err
	}
	if o.Cloud != "" {
		return cloud.Configuration{}, false, fmt.Errorf("cloud %s is given together with endpoints of another: give one of them", o.Cloud)
	}
	for name, value := range map[string]string{"endpoint": o.ResourceManagerEndpoint, "authority host": o.AuthorityHost} {
		// Tokens travel to both.
		if u, err := url.Parse(value); err != nil || u.Scheme != "https" || u.Host == "" {
			return cloud.Configuration{}, false, fmt.Errorf("%s of Azure %q is not an https address", name, value)
		}
	}
	if o.ResourceManagerAudience == "" {
		return cloud.Configuration{}, false, fmt.Errorf("the audience of Azure Resource Manager at %s is missing", o.ResourceManagerEndpoint)
	}
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: o.AuthorityHost,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: o.ResourceManagerEndpoint, Audience: o.ResourceManagerAudience},
		},
	}, false, nil
}

func byName(name string) (cloud.Configuration, error) {
	switch strings.ToLower(name) {
	case "", "azurepubliccloud":
		return cloud.AzurePublic, nil
	case "azureusgovernmentcloud":
		return cloud.AzureGovernment, nil
	case "azurechinacloud":
		return cloud.AzureChina, nil
	}
	return cloud.Configuration{}, fmt.Errorf("cloud %q is not AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud: "+
		"another cloud is given by its endpoint, audience and authority host", name)
}
