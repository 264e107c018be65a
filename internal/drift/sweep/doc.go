// Package sweep finds what looks different in Azure, for a whole fleet by a few requests.
//
// It knows nothing for certain: Resource Graph is some minutes late and answers only what it may show. So a sweep changes nothing and says
// nothing; it wakes the controllers of the objects that look different, and each of them makes sure by one GET. What a sweep remembers
// saves requests and decides nothing.
package sweep
