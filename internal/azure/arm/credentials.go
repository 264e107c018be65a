package arm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// ErrNoCredentials says that the environment names no identity.
var ErrNoCredentials = errors.New("no Azure credentials: neither workload identity (AZURE_FEDERATED_TOKEN_FILE) nor a service principal " +
	"(AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH) is configured, and there is no Azure CLI")

// credentials is the identity that the environment names: a workload identity, else a service principal, else the user of
// the Azure CLI on a developer's machine. It is one of them and no chain: were the first to fail, a chain would go on as
// somebody else, whom nobody has granted anything, and say so in place of the true reason.
func credentials(options policy.ClientOptions, named bool) (azcore.TokenCredential, who, error) {
	me := who{principal: identity.Identity{ClientID: os.Getenv("AZURE_CLIENT_ID")}.Principal()}
	switch {
	case os.Getenv("AZURE_FEDERATED_TOKEN_FILE") != "" && os.Getenv("AZURE_CLIENT_ID") == "":
		// The Pod has a token for the identities of clusters, and its service account names none of its own.
		return nil, who{}, fmt.Errorf("%w: AZURE_FEDERATED_TOKEN_FILE is set, and AZURE_CLIENT_ID, which names the identity, is not", ErrNoCredentials)
	case os.Getenv("AZURE_FEDERATED_TOKEN_FILE") != "":
		c, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !named})
		if err != nil {
			return nil, me, fmt.Errorf("use the workload identity: %w", err)
		}
		return c, me, nil
	case os.Getenv("AZURE_CLIENT_SECRET") != "" || os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH") != "":
		for _, name := range []string{"AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD"} {
			me.secrets = append(me.secrets, identity.NewSecret(os.Getenv(name)))
		}
		c, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: !named})
		if err != nil {
			return nil, me, fmt.Errorf("use the service principal of the environment: %w", err)
		}
		return c, me, nil
	}
	if _, err := exec.LookPath("az"); err != nil {
		return nil, who{}, ErrNoCredentials
	}
	c, err := azidentity.NewAzureCLICredential(nil)
	if err != nil {
		return nil, who{}, fmt.Errorf("use the Azure CLI: %w", err)
	}
	return c, who{principal: "azure-cli"}, nil
}
