(defn fib [n]
  (if (< n 2)
      n
      (+ (fib (- n 1)) (fib (- n 2)))))

(defn setup [n] n)
(defn main [n] (fib n))
