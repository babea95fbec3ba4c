(defn setup [n]
  (lfor  i (range n)  {"id" i  "group" (% (* i 7919) 17)  "score" (% (* i i 104729) 10007)}))

(defn main [records]
  (setv total 0)
  (for [r (sorted records :key (fn [r] #((get r "group") (- (get r "score")))))]
    (setv total (% (+ (* total 31) (get r "id")) 1000003)))
  total)
