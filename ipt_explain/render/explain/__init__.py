"""Output of `explain`: the trees and the table of Services."""
