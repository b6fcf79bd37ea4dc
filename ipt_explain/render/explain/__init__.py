"""What `explain` prints: the trees and the table of Services."""
