// Package broker stands before every request to Azure Resource Manager and lets it through when there is budget for it.
//
// Azure counts requests in token buckets: Resource Manager per identity and subscription, the AKS resource provider per
// subscription and region and per cluster. The broker keeps the same buckets, a little smaller, and corrects them by what
// Azure answers (429, Retry-After, x-ms-ratelimit-remaining-*). A request takes one token of each bucket that it counts
// against. Those that wait go by priority, and within one by turns of clusters. A request that would wait too long is
// refused at once, so that its controller comes back later and holds no worker.
//
// It is also the last guard of "one change of a cluster at a time": a second changing request to a managed cluster waits
// while one is under way.
//
// Everything about who goes when is in line, a struct with time as an argument. Broker adds the clock and those who wait.
// The limits, what waits for what and the metrics are in docs/azure-budget.md.
package broker
