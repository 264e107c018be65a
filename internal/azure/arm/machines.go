package arm

import (
	"context"
	"fmt"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/containerservice/armcontainerservice/v8"

	"github.com/fleetwright/fleetwright/internal/azure/armid"
)

const (
	poolType             = "Microsoft.ContainerService/managedClusters/agentPools"
	deleteMachinesAction = poolType + "/deleteMachines/action"
	readPoolAction       = poolType + "/read"
)

// DeleteMachines starts the deletion of exactly these machines of a pool and does not wait for its end. A machine's name
// is that of its node. AKS deletes them without a drain and lowers the pool's count by as many.
//
// Errors that Azure answers are refusals: Busy while the cluster has another operation, Gone when none of the machines
// (or the pool) is there, Passing, Denied, Final. A Passing one may have had its effect.
func (c *Client) DeleteMachines(ctx context.Context, agentPoolID string, machineNames []string) error {
	if len(machineNames) == 0 {
		return fmt.Errorf("delete machines of %s: no machine is named", agentPoolID)
	}
	pool, err := parse(agentPoolID, poolType)
	if err != nil {
		return fmt.Errorf("delete machines: %w", err)
	}
	pools, err := armcontainerservice.NewAgentPoolsClient(pool.SubscriptionID, c.credential, c.options)
	if err != nil {
		return fmt.Errorf("make a client of AKS: %w", err)
	}
	names := make([]*string, len(machineNames))
	for i := range machineNames {
		names[i] = &machineNames[i]
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err = pools.BeginDeleteMachines(limited, pool.ResourceGroupName, pool.Parent.Name, pool.Name,
		armcontainerservice.AgentPoolDeleteMachinesParameter{MachineNames: names}, nil)
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf("delete %d machines of agent pool %s", len(machineNames), pool.Name)
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	return c.refused(doing, err, right{deleteMachinesAction, agentPoolID})
}

// CountNodes is the number of nodes a pool has in Azure, read live; settled is false while an operation changes it or
// after one that failed. Errors are those of DeleteMachines but Busy.
func (c *Client) CountNodes(ctx context.Context, agentPoolID string) (count int32, settled bool, err error) {
	pool, err := parse(agentPoolID, poolType)
	if err != nil {
		return 0, false, fmt.Errorf("count nodes: %w", err)
	}
	pools, err := armcontainerservice.NewAgentPoolsClient(pool.SubscriptionID, c.credential, c.options)
	if err != nil {
		return 0, false, fmt.Errorf("make a client of AKS: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := pools.Get(limited, pool.ResourceGroupName, pool.Parent.Name, pool.Name, nil)
	if err != nil {
		doing := "count the nodes of agent pool " + pool.Name
		if ctx.Err() != nil {
			return 0, false, fmt.Errorf("%s: %w", doing, context.Cause(ctx))
		}
		return 0, false, c.refused(doing, err, right{readPoolAction, agentPoolID})
	}
	p := answer.Properties
	if p == nil || p.Count == nil || p.ProvisioningState == nil {
		return 0, false, nil
	}
	return *p.Count, *p.ProvisioningState == "Succeeded", nil
}

// parse reads the id of a resource of one type.
func parse(id, wanted string) (*azarm.ResourceID, error) {
	valid, err := armid.Parse(id)
	if err != nil {
		return nil, err
	}
	parsed, err := azarm.ParseResourceID(valid.String())
	if err != nil {
		return nil, fmt.Errorf("%q is not an Azure resource id: %w", id, err)
	}
	if !strings.EqualFold(parsed.ResourceType.String(), wanted) || parsed.Parent == nil {
		return nil, fmt.Errorf("%q is the id of a %s, not of a %s", id, parsed.ResourceType, wanted)
	}
	return parsed, nil
}
